"""Finds the format of an annotation file."""

import json
import re
from pathlib import Path

import h5py

from keras_cornernet import files
from keras_cornernet.data.readers.matlab import field_names
from keras_cornernet.skeletons import FLIC, MPII

FORMATS_OF_FIELDS = {"joints": "lsp", "RELEASE": "mpii"}  # in MATLAB files
# Keys that occur near the beginning of lists and of objects, in the order in which they are looked for.
JSON_FORMATS_OF_LISTS = {
    "mpii": ("joints", "joint_self", "img_paths", "objpos"),
    "label-studio": ("data",),
    "createml": ("image", "imagefilename", "coordinates"),
}
JSON_FORMATS_OF_OBJECTS = {
    "labelme": ("shapes", "imagePath"),
    "coco": ("images", "annotations", "supercategory"),
}
START = 20_000  # bytes of a json file that are looked at
FORMATS_OF_JOINTS = {len(MPII.joints): "mpii", len(FLIC.joints): "flic"}  # in h5 files


def detect_format(annotations: str | Path) -> str:
    """Finds the format of annotations, for `read_annotations`, without reading all of them.

    Args:
        annotations: an annotation file, or a folder of annotation files.

    Returns:
        `"coco"`, `"voc"`, `"yolo"`, `"csv"`, `"createml"`, `"labelme"`, `"label-studio"`, `"tfrecord"`,
        `"lsp"`, `"mpii"` or `"flic"`.

    Raises:
        ValueError: the format is none of these.
        OSError: there is no such file.

    Example:
        >>> detect_format("instances_train.json")  # doctest: +SKIP
        'coco'
    """
    path = Path(annotations)
    found = _of_folder(path) if path.is_dir() else _of_file(path)
    if found is None:
        raise ValueError(
            f"{path}: the format of the annotations is not known; expected a json file of COCO, CreateML, "
            "Label Studio or MPII, a folder of VOC's xml files or LabelMe's json files, a .yaml of YOLO, a "
            ".csv or .tfrecord file, a .mat file of LSP or MPII, or an .h5 file of MPII or FLIC"
        )
    return found


def _of_folder(path: Path) -> str | None:
    if any(path.glob("*.xml")):
        return "voc"
    first = next(iter(sorted(path.glob("*.json"))), None)
    return "labelme" if first is not None and _of_file(first) == "labelme" else None


def _of_file(path: Path) -> str | None:
    files.check_is_file(path)
    suffix = path.suffix.lower()
    if suffix == ".mat":
        fields = field_names(path)
        return next((FORMATS_OF_FIELDS[field] for field in fields if field in FORMATS_OF_FIELDS), None)
    if suffix in (".h5", ".hdf5"):
        return _of_h5(path)
    if suffix in (".yaml", ".yml") or path.name == "classes.txt":
        return "yolo"
    if suffix == ".csv":
        return "csv"
    if re.search(r"\.(tf)?records?(-|$)", path.name.lower()):
        return "tfrecord"
    with path.open("rb") as file:
        start = file.read(START)
    text = start.decode(json.detect_encoding(start), "ignore").lstrip("\ufeff \t\r\n")
    if not text.startswith(("{", "[")):
        return None
    table = JSON_FORMATS_OF_LISTS if text.startswith("[") else JSON_FORMATS_OF_OBJECTS
    return next((name for name, words in table.items() if any(f'"{word}"' in text for word in words)), None)


def _of_h5(path: Path) -> str | None:
    try:
        with h5py.File(path, "r") as file:
            inside = isinstance(file.get("part", getlink=True), h5py.HardLink)
            shape: tuple[int, ...] = file["part"].shape if inside else ()
    except (OSError, RuntimeError, KeyError, AttributeError) as error:
        raise ValueError(f"{path}: not an HDF5 file of poses: {error}") from None
    return FORMATS_OF_JOINTS.get(shape[1]) if len(shape) > 1 else None
