"""A model as a folder: a card for people, settings for programs, and the weights with their hash.

    README.md     the card: what it finds, figures, data and their terms
    config.json   what is in the folder, and the SHA-256 of the weights
    model.keras   network, settings and weights

`save_to_preset` writes one, as in KerasHub, and `from_preset` opens it: a folder on this machine, or one on
huggingface.co as `hf://OWNER/NAME`.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from keras_cornernet import files
from keras_cornernet.extras import import_extra
from keras_cornernet.inference.model import Model

CARD, CONFIG, WEIGHTS = "README.md", "config.json", "model.keras"
HUB = "hf://"
# OWNER/NAME, perhaps @REVISION
_ADDRESS = re.compile(r"hf://(?P<name>[\w.-]+/[\w.-]+)(@(?P<revision>[\w./-]+))?")


@dataclass(frozen=True)
class Address:
    """What stands for a model outside of the package: `FOLDER` or `hf://OWNER/NAME@REVISION`, with a hash.

    Attributes:
        place: without the hash.
        sha256: of the weights, which nothing else may be opened as; None where the name states none.
    """

    place: str
    sha256: str | None = None

    @classmethod
    def of(cls, text: str | Path) -> Self:
        """Splits `PLACE#sha256=DIGITS`.

        Raises:
            ValueError: the digits are not 64 hexadecimal ones.
        """
        place, mark, digits = str(text).partition("#sha256=")
        if mark and not re.fullmatch(r"[0-9a-fA-F]{64}", digits):
            raise ValueError(f"{text}: #sha256= takes the 64 hexadecimal digits of a SHA-256, not {digits!r}")
        return cls(place, digits.lower() or None)


def save_to_preset(model: Model, folder: str | Path) -> Path:
    """Writes a folder that `from_preset` opens, on this machine or after an upload to huggingface.co.

    Args:
        model: a detector or a pose estimator.
        folder: new, or one that was written so before: other files in it are left alone. A card that is
            there already is kept, since people write into it.

    Returns:
        The folder.

    Raises:
        ValueError: `folder` is a file.

    Example:
        >>> model = keras_cornernet.from_preset("cornernet_people")
        >>> model.save_to_preset("people").name
        'people'
        >>> keras_cornernet.from_preset("people").categories.names
        ('person', 'dog')
    """
    folder = Path(folder)
    if folder.is_file():
        raise ValueError(f"folder: {folder} is a file")
    folder.mkdir(parents=True, exist_ok=True)
    weights = model.save(folder / WEIGHTS)
    files.write_json(folder / CONFIG, _config(model, files.sha256_of(weights)), indent=1)
    if not (folder / CARD).exists():
        files.write_text(folder / CARD, card(model, folder.resolve().name))
    return folder


def _config(model: Model, sha256: str) -> dict[str, Any]:
    from keras_cornernet import __version__

    size = model.settings.input_size
    return {
        "library": "keras_cornernet",
        "version": __version__,
        "task": model.task,
        "network": type(model.network).__name__,
        "input_size": None if size is None else list(size),
        "names": list(model.labels.names),
        "provenance": model.provenance.to_json(),
        "weights": {"file": WEIGHTS, "sha256": sha256},
    }


def card(model: Model, name: str) -> str:
    """A card in huggingface.co's form, to be completed by hand.

    Args:
        model: that it describes.
        name: the heading.
    """
    kind = "object-detection" if model.labels_field == "categories" else "keypoint-detection"
    head = {"library_name": "keras_cornernet", "pipeline_tag": kind, "tags": ["keras"]}
    lines = [f"{key}: {json.dumps(value)}" for key, value in head.items()]
    sources = [
        f"| {source.name} | {source.terms} | {'' if source.items is None else f'{source.items:,}'} |"
        for source in model.provenance.data
    ]
    data = ["| data | terms | images or people |", "|---|---|---|", *sources]
    return "\n".join(
        [
            *("---", *lines, "---", f"# {name}", "", f"`{model!r}`", ""),
            f"Finds {', '.join(model.labels.names)}.",
            "",
            *(
                "```python",
                "import keras_cornernet as kc",
                "",
                f'model = kc.from_preset("{name}")',
                "```",
                "",
            ),
            *("## Trained on", ""),
            *(data if sources else ["The data that it was trained on is not stated."]),
            *("", "## Figures", "", "Not stated.", "", "## Limits", "", "Not stated.", ""),
        ]
    )


def find_preset(address: Address) -> Path | None:
    """The weights of a model outside of the package, checked; None where the place is no folder or file.

    Args:
        address: of a folder that `save_to_preset` wrote, of one on huggingface.co, or of a `.keras` file.

    Raises:
        ValueError: it is no such folder, the weights are not those that a hash promises, or there is none.
        ImportError: `hf://` without the extra `hub`.
        OSError: huggingface.co cannot be reached or has no such model.
    """
    if address.place.startswith(HUB):
        return _checked_weights(_downloaded(address.place), address)
    folder = Path(address.place)
    if folder.is_dir() and (folder / CONFIG).is_file():
        return _checked_weights(folder, address)
    if address.sha256 is not None and folder.is_file():
        _check(folder, address.sha256, "its name")
        return folder
    return None


def _checked_weights(folder: Path, address: Address) -> Path:
    config = files.read_json(folder / CONFIG)
    stated = config.get("weights") if isinstance(config, Mapping) else None
    if not isinstance(stated, Mapping) or stated.get("file") != WEIGHTS:
        raise ValueError(f"{address.place}: {CONFIG} is not of a folder that save_to_preset wrote")
    declared = stated.get("sha256")
    if not isinstance(declared, str) or not re.fullmatch(r"[0-9a-f]{64}", declared):
        raise ValueError(f"{address.place}: {CONFIG} states no SHA-256 of the weights, which are not opened")
    path = folder / WEIGHTS
    if not path.is_file():
        raise ValueError(f"{address.place}: there is no {WEIGHTS}")
    _check(path, declared, CONFIG)
    if address.sha256 is not None:
        _check(path, address.sha256, "its name")
    return path


def _check(path: Path, sha256: str, promised_by: str) -> None:
    found = files.sha256_of(path)
    if found != sha256:
        raise ValueError(
            f"{path}: has the SHA-256 {found}, and {promised_by} promises {sha256}; it is not opened"
        )


def _downloaded(address: str) -> Path:
    """The folder of a model of huggingface.co, whose two files are of one version."""
    found = _ADDRESS.fullmatch(address)
    if found is None:
        raise ValueError(f"{address}: expected hf://OWNER/NAME, or hf://OWNER/NAME@REVISION")
    hub = import_extra("huggingface_hub", "hub", f"{address}")
    try:
        return Path(
            hub.snapshot_download(
                found["name"], revision=found["revision"], allow_patterns=[CARD, CONFIG, WEIGHTS]
            )
        )
    except (OSError, hub.errors.HfHubHTTPError, hub.errors.LocalEntryNotFoundError) as error:
        raise OSError(f"{address}: {str(error).strip().splitlines()[0]}") from error
