"""The state of a training run in one file: weights, optimizer, epoch, time used, results and settings.

It is written aside and renamed, and the one before it is kept, so that at each moment at least one whole
state is on the disk. A resumed run takes all that it continues from this one file.
"""

import json
import logging
import os
import time
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_cornernet import files, interruption
from keras_cornernet.training import TimeLimit

log = logging.getLogger(__name__)
FOLDER = "backup"  # in the folder of a run
RECORD = "run.json"  # in the archive
FORMAT = 1
MOST_RECORD = 2**28  # bytes; an epoch takes some hundreds
AVERAGE = "average"  # role of an optimizer's moving averages of the weights, and the end of their names
PAUSE = 60.0  # seconds; runs that end by time, whose epochs may be short, are kept that often at most


@dataclass(frozen=True)
class RunState:
    """Where a run stands, without its weights.

    Attributes:
        epoch: how many epochs are complete.
        seconds: that are used up, of a run that ends by time.
        names: the classes or joints.
        rows: of the table, one for each epoch.
        plan: the preset and the fields of its `TrainingConfig`.
    """

    epoch: int
    seconds: float
    names: tuple[str, ...]
    rows: tuple[dict[str, Any], ...]
    plan: Mapping[str, Any]


class BackupFile:
    """The newest state of a run and the one before it.

    Args:
        output: the folder of the run.
    """

    def __init__(self, output: str | Path):
        self.folder = Path(output) / FOLDER
        self.latest, self.previous = self.folder / "latest.zip", self.folder / "previous.zip"

    def read(self) -> RunState | None:
        """The newest state that is whole; None if none was written yet.

        If the newest is damaged, a warning says so and the one before it takes its place.

        Raises:
            ValueError: there are states, and all are damaged.
        """
        if (self.folder / "latest.weights.h5").exists():
            raise ValueError(
                f"{self.folder}: of an earlier version, whose runs cannot be continued: start a new one with "
                "--weights last.keras and another --output"
            )
        damages = []
        for path in (self.latest, self.previous):
            try:
                state = _read(path)
            except FileNotFoundError:
                continue
            except ValueError as error:
                damages.append(str(error))
                continue
            if damages:
                log.warning("%s; the run continues from the backup before it", damages[0])
            if path != self.latest:
                os.replace(path, self.latest)
            return state
        if damages:
            raise ValueError(f"{damages[0]}, and there is no other: use another --output")
        return None

    def restore(self, model: keras.Model) -> None:
        """Gives a compiled model the weights of the newest state, and its optimizer the state of it.

        Raises:
            ValueError: they are of another network or optimizer.
        """
        with zipfile.ZipFile(self.latest) as archive:
            stored = json.loads(archive.read(RECORD))["variables"]
            own = [(variable, _outline(variable)) for variable in _variables(model)]

            def restore(average: bool) -> bool:
                """Sets the moving averages, or all else; returns whether they agree."""
                entries = [i for i, outline in enumerate(stored) if (outline[2] == AVERAGE) == average]
                mine = [pair for pair in own if (pair[1][2] == AVERAGE) == average]
                if [stored[i] for i in entries] != [outline for _, outline in mine]:
                    return False
                for i, (variable, _) in zip(entries, mine, strict=True):
                    value = _array(variable)
                    content = archive.read(_entry(i))
                    variable.assign(np.frombuffer(content, value.dtype).reshape(value.shape))
                return True

            if not restore(average=False):
                raise ValueError(
                    f"{self.latest}: of another network or optimizer, with {len(stored)} arrays in place of "
                    f"{len(own)}: resume with the settings of the run, or use another --output"
                )
            if not restore(average=True):  # short runs have none; another length can change that
                averages = [variable for variable, outline in own if outline[2] == AVERAGE]
                for average, variable in zip(averages, model.trainable_variables, strict=bool(averages)):
                    average.assign(variable)

    def write(self, model: keras.Model, state: RunState) -> None:
        """Writes the state of a model and of its run.

        Raises:
            OSError: the disk is full; the states written before are kept.
        """
        variables = _variables(model)
        record = {
            "format": FORMAT,
            **asdict(state),
            "variables": [_outline(variable) for variable in variables],
        }
        with (
            files.write_aside(self.latest, previous=self.previous) as aside,
            zipfile.ZipFile(aside, "w") as archive,
        ):
            # A `ZipInfo` has a fixed date: the same state gives the same bytes.
            archive.writestr(zipfile.ZipInfo(RECORD), json.dumps(record))
            for i, variable in enumerate(variables):
                archive.writestr(zipfile.ZipInfo(_entry(i)), _array(variable).tobytes())


class Backup(keras.callbacks.Callback):
    """Keeps the state at the beginning of a run and after each epoch, in runs by time once a minute.

    The last one stays when the run is over, so that it can be resumed with more epochs.

    Args:
        file: to write.
        state: gives the state after so many epochs.
        limit: of a run that ends by time.
    """

    def __init__(self, file: BackupFile, state: Callable[[int], RunState], limit: TimeLimit | None = None):
        super().__init__()
        self.file = file
        self.state = state
        self.limit = limit
        self._saved = time.monotonic()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if not epoch:  # what the weights started from is then known too
            self.file.write(self.model, self.state(epoch))

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        interruption.raise_if_asked()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        now = time.monotonic()
        if self.limit is None or self.limit.over or now - self._saved >= PAUSE:
            self.file.write(self.model, self.state(epoch + 1))
            self._saved = now


def _read(path: Path) -> RunState:
    """The record of one state, after its whole content has been compared with its checksums.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is damaged.
    """
    files.check_is_file(path)
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            if any(info.compress_type != zipfile.ZIP_STORED for info in infos):
                raise ValueError("it is compressed")
            if archive.getinfo(RECORD).file_size > MOST_RECORD:
                raise ValueError("its record is too large")
            broken = archive.testzip()
            if broken is not None:
                raise ValueError(f"{broken} does not have its checksum")
            record = json.loads(archive.read(RECORD))
            state = _state(record)
            sizes = [archive.getinfo(_entry(i)).file_size for i in range(len(record["variables"]))]
            if sizes != [_size(outline) for outline in record["variables"]]:
                raise ValueError("its arrays have other sizes than its record says")
            return state
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, NotImplementedError) as error:
        raise ValueError(f"{path}: a damaged backup ({error})") from None
    except (KeyError, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"{path}: a damaged backup ({error})") from None


def _state(record: Any) -> RunState:
    """The state in a record.

    Raises:
        KeyError, TypeError, ValueError: it is not one.
    """
    if record["format"] != FORMAT:
        raise ValueError(f"of format {record['format']!r}, not {FORMAT}")
    rows = tuple(
        {"epoch": int(row["epoch"]), **{str(name): float(v) for name, v in row.items() if name != "epoch"}}
        for row in record["rows"]
    )
    epoch = int(record["epoch"])
    if len(rows) != epoch or any(row["epoch"] != i for i, row in enumerate(rows, start=1)):
        raise ValueError("its table does not have a row for each epoch")
    names = tuple(str(name) for name in record["names"])
    return RunState(epoch, float(record["seconds"]), names, rows, dict(record["plan"]))


def _variables(model: keras.Model) -> list[Any]:
    return [*model.variables, *model.optimizer.variables]


def _array(variable: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(variable))


def _outline(variable: Any) -> list[Any]:
    """Shape, type and role; names of layers may have other numbers in another process."""
    role = AVERAGE if variable.path.endswith(f"_{AVERAGE}") else ""
    return [list(variable.shape), str(variable.dtype), role]


def _size(outline: Sequence[Any]) -> int:
    shape, dtype, _ = outline
    itemsize: int = np.dtype(keras.backend.standardize_dtype(dtype)).itemsize
    return int(np.prod(shape, dtype=np.int64)) * itemsize


def _entry(number: int) -> str:
    return f"variables/{number}"
