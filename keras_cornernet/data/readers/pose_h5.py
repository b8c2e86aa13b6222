"""The h5 files that the authors of the Stacked Hourglass published for MPII and FLIC."""

from pathlib import Path

import h5py
import numpy as np

from keras_cornernet import files
from keras_cornernet.data.readers.center_scale import Entry

TRAIN, TEST = 1, 0  # of `istrain`; 2 is a training image without labels


def read_pose_h5(path: Path, joints: int) -> dict[str, np.ndarray]:
    """Reads the table and checks its columns.

    Args:
        path: the file.
        joints: how many a person has.

    Returns:
        `imgname` `(n,)` texts, `center` `(n, 2)`, `scale` `(n,)`, `part` `(n, joints, 2)` and `visible`
        `(n, joints)`, and where the file has them `index`, `normalize` and `istrain`, each `(n,)`.

    Raises:
        ValueError: the file is not HDF5, or a column is missing or has another shape.
    """
    files.check_is_file(path)
    try:
        with h5py.File(path, "r") as file:
            content = {name: item[()] for name, item in file.items() if isinstance(item, h5py.Dataset)}
    except (OSError, RuntimeError, KeyError) as error:
        raise ValueError(f"{path}: not an HDF5 file that can be read: {error}") from None
    names = _texts(_column(content, "imgname", path), path)
    shapes = {"center": (2,), "scale": (), "part": (joints, 2), "visible": (joints,)}
    shapes |= {name: () for name in ("index", "normalize", "istrain") if name in content}
    table = {"imgname": names}
    for name, shape in shapes.items():
        column = np.asarray(_column(content, name, path))
        expected = (len(names), *shape)
        if column.dtype.kind not in "fiub" or column.shape not in (expected, (*expected, 1)):
            raise ValueError(
                f"{path}: the field {name!r} should hold numbers of the shape {expected}, got "
                f"{column.dtype} of the shape {column.shape}"
            )
        table[name] = column.reshape(expected)
    return table


def h5_entries(table: dict[str, np.ndarray], source: str, *, split: str, head: bool) -> list[Entry]:
    """The people of a table.

    Args:
        table: what `read_pose_h5` gave.
        source: what faults call the file.
        split: `"train"`, `"test"` or `"all"` of the rows that `istrain` marks; without `istrain` all rows
            are taken, and `"test"` says that their joints were not published.
        head: `normalize` holds the head size.
    """
    rows = np.arange(len(table["imgname"]))
    marks = table.get("istrain", np.full(len(rows), TEST if split == "test" else TRAIN))
    wanted = {"train": (TRAIN,), "test": (TEST,)}.get(split, (TRAIN, TEST))
    places = table.get("index", rows)
    triples = np.concatenate([table["part"], table["visible"][..., None]], axis=-1).astype(np.float64)
    return [
        Entry(
            place=f"{source}: row {row}",
            name=table["imgname"][row],
            image_id=int(places[row]),
            center=table["center"][row].astype(float).tolist(),
            scale=float(table["scale"][row]),
            joints=triples[row].tolist(),
            head_size=float(table["normalize"][row]) if head and "normalize" in table else None,
            labelled=marks[row] != TEST,
        )
        for row in rows[np.isin(marks, wanted)]
    ]


def _column(content: dict, name: str, path: Path) -> object:
    if name not in content:
        raise ValueError(f"{path}: has no field {name!r}; it has: {', '.join(content) or 'none'}")
    return content[name]


def _texts(values: object, path: Path) -> list[str]:
    """File names from texts, or from rows of character codes that zeros fill up."""
    values = np.asarray(values)
    try:
        if values.ndim == 2 and values.dtype.kind in "fiu":
            values = [bytes(row.astype(np.uint8)) for row in values]
        elif values.ndim != 1 or values.dtype.kind not in "SO":
            raise ValueError(f"{values.dtype} of the shape {values.shape}")
        texts = [value.decode("utf-8") if isinstance(value, bytes) else str(value) for value in values]
    except ValueError as error:
        raise ValueError(
            f"{path}: the field 'imgname' should hold one text per person, got {error}"
        ) from None
    return [text.rstrip("\0 ") for text in texts]
