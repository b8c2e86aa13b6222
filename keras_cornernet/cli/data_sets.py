"""The data sets that a command is given: folders, or a file of labels with a folder of images."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)
LICENSES_WITHIN = 65536  # bytes from the beginning of a COCO file


@dataclass(frozen=True)
class DataSets:
    """What the options of a command say of its data; read by `read`.

    Attributes:
        data: folders, see `data.readers.find_part`.
        data_weights: the fraction of each that an epoch shows; none: all of them.
        annotations, images: in place of `data`, a file of labels and the folder of its images.
        annotation_format: of `annotations`.
        classes: those that count, see `data.joining.join_datasets`; none: all.
        options: of the reader.
        terms: on which each may be used; one for all, or one for each.

    Raises:
        ValueError: neither `data` nor `annotations` with `images` are given, or both are; or the number of
            weights does not fit.
    """

    data: Sequence[str | Path] = ()
    data_weights: Sequence[float] = ()
    annotations: str | Path | None = None
    images: str | Path | None = None
    annotation_format: str = "coco"
    classes: Sequence[str] = ()
    options: dict[str, Any] = field(default_factory=dict)
    terms: Sequence[str] = ()

    def __post_init__(self) -> None:
        if self.data and (self.annotations or self.images):
            raise ValueError("data: give either --data, or --annotations and --images")
        if not self.data and not (self.annotations and self.images):
            raise ValueError("data: expected --data PATH, or --annotations FILE and --images FOLDER")
        if self.data_weights and len(self.data_weights) != len(self.data):
            raise ValueError(
                f"data_weights: expected one for each of {len(self.data)} data sets, got "
                f"{len(self.data_weights)}"
            )
        if len(self.terms) not in (0, 1, max(len(self.data), 1)):
            raise ValueError(f"terms: expected one, or one for each of {len(self.data)} data sets")
        for folder in self.data:
            if not Path(folder).exists():
                raise ValueError(f"data: there is no folder or file {folder}")

    @property
    def names(self) -> list[str]:
        """What the sets are called in messages."""
        return [Path(folder).resolve().name for folder in self.data] or [str(self.annotations)]

    def stated_terms(self) -> dict[str, str]:
        """The terms of each set by its name: those given, else the licenses that its COCO file names."""
        sources = [Path(str(source)) for source in self.data or (self.annotations,)]
        if self.terms:
            terms = list(self.terms) * (len(sources) if len(self.terms) == 1 else 1)
        else:
            terms = [_licenses(source) for source in sources]
        return {name: text for name, text in zip(self.names, terms, strict=True) if text}

    def describe(self) -> dict[str, Any]:
        """What identifies the data, fit for json; a resumed run must have the same."""
        sources = self.data or (self.annotations, self.images)
        return {
            "data": [str(Path(str(source)).resolve()) for source in sources],
            "data_weights": [float(weight) for weight in self.data_weights],
            "classes": list(self.classes),
        }

    def find_task(self) -> Any:
        """The task that reads the format, or that of the first folder; of several the one that lists it
        first.
        """
        from keras_cornernet.data.readers.folders import formats_of_folder
        from keras_cornernet.tasks import TASKS

        formats = dict.fromkeys(TASKS, self.annotation_format)
        if self.data:
            formats = formats_of_folder(self.data[0])
        ranks = {
            name: list(TASKS[name].readers).index(format_)
            for name, format_ in formats.items()
            if format_ in TASKS[name].readers
        }
        return TASKS[min(ranks, key=lambda name: ranks[name], default=next(iter(TASKS)))]

    def read(self, task: Any, part: str) -> Any:
        """Reads the training or the validation part of all sets and joins them.

        Args:
            task: a `tasks.Task`.
            part: `"train"` or `"val"`. A file of labels is read whole unless its format has parts.

        Returns:
            The data set; None if no folder has that part.

        Raises:
            ValueError: nothing is annotated, or as the readers and `join_datasets`.
        """
        from keras_cornernet.data.checking import raise_if_empty
        from keras_cornernet.data.joining import join_datasets
        from keras_cornernet.data.readers import read_annotations

        if not self.data:
            assert self.annotations is not None and self.images is not None
            datasets = [
                read_annotations(
                    task.readers,
                    self.annotations,
                    self.images,
                    self.annotation_format,
                    part=part,
                    **self.options,
                )
            ]
            joined = join_datasets(datasets, names=self.names, classes=self.classes or None)
            raise_if_empty(joined, self.annotations)
            return joined
        found = [
            (i, dataset) for i, dataset in enumerate(self._read_folders(task, part)) if dataset is not None
        ]
        if not found:
            return None
        weights = self.data_weights or [1.0] * len(self.data)
        joined = join_datasets(
            [dataset for _, dataset in found],
            names=[self.names[i] for i, _ in found],
            weights=[weights[i] for i, _ in found],
            classes=self.classes or None,
        )
        raise_if_empty(joined, ", ".join(self.names))
        return joined

    def _read_folders(self, task: Any, part: str) -> list[Any]:
        from keras_cornernet.data.readers import find_part

        datasets: list[Any] = []
        for name, folder in zip(self.names, self.data, strict=True):
            found = find_part(folder, task.name, part)
            if found is None:
                log.info("%s: no part for %s", name, part)
                datasets.append(None)
                continue
            dataset = found.read(task.readers, part=part, **self.options)
            log.info("%s: %s, %d %s for %s", name, found.format, len(dataset), dataset.noun, part)
            datasets.append(dataset)
        return datasets


def _licenses(source: Path) -> str:
    """The names of the licenses at the head of a set's COCO file; empty where there are none."""
    found = [source] if source.is_file() else sorted(source.rglob("*.json"))[:20] if source.is_dir() else []
    for path in found:
        if path.suffix != ".json":
            continue
        with path.open("rb") as file:
            head = file.read(LICENSES_WITHIN).decode("utf-8", errors="ignore")
        _, key, rest = head.partition('"licenses"')
        try:
            listed, _ = json.JSONDecoder().raw_decode(rest.lstrip(" :\r\n\t")) if key else ([], 0)
            names = [str(entry["name"]) for entry in listed if entry.get("name")]
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            continue  # what names no license in this form is left unstated
        if names:
            return "; ".join(list(dict.fromkeys(names))[:3]) + (" and others" if len(set(names)) > 3 else "")
    return ""
