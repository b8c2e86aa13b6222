"""Finds the format of an annotation file."""

from pathlib import Path

import h5py

from keras_cornernet import files
from keras_cornernet.data.readers.matlab import field_names
from keras_cornernet.skeletons import FLIC, MPII

FORMATS_OF_FIELDS = {"joints": "lsp", "RELEASE": "mpii"}  # in MATLAB files
FORMATS_OF_JOINTS = {len(MPII.joints): "mpii", len(FLIC.joints): "flic"}  # in h5 files


def detect_format(annotations: str | Path) -> str:
    """Finds the format of annotations, for `read_dataset`, without reading all of them.

    Args:
        annotations: an annotation file, or a folder of annotation files.

    Returns:
        `"coco"`, `"voc"`, `"lsp"`, `"mpii"` or `"flic"`.

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
            f"{path}: the format of the annotations is not known; expected a json file of COCO or MPII, "
            "a folder of VOC's xml files, a .mat file of LSP or MPII, or an .h5 file of MPII or FLIC"
        )
    return found


def _of_folder(path: Path) -> str | None:
    return "voc" if any(path.glob("*.xml")) else None


def _of_file(path: Path) -> str | None:
    files.check_is_file(path)
    suffix = path.suffix.lower()
    if suffix == ".mat":
        fields = field_names(path)
        return next((FORMATS_OF_FIELDS[field] for field in fields if field in FORMATS_OF_FIELDS), None)
    if suffix in (".h5", ".hdf5"):
        return _of_h5(path)
    with path.open("rb") as file:
        start = file.read(1000).lstrip(b"\xef\xbb\xbf \t\r\n")
    return {b"{": "coco", b"[": "mpii"}.get(start[:1])


def _of_h5(path: Path) -> str | None:
    try:
        with h5py.File(path, "r") as file:
            shape = file["part"].shape
    except (OSError, RuntimeError, KeyError, AttributeError) as error:
        raise ValueError(f"{path}: not an HDF5 file of poses: {error}") from None
    return FORMATS_OF_JOINTS.get(shape[1]) if len(shape) > 1 else None
