"""The h5 files that the authors of the Stacked Hourglass published for MPII and FLIC."""

from pathlib import Path

import h5py
import numpy as np

from keras_cornernet import files
from keras_cornernet.data.readers.center_scale import Entry
from keras_cornernet.data.readers.checks import shown

TRAIN, TEST = 1, 0  # values of `istrain`; 2 is a training image without labels
LARGEST_FIELD = 2**30  # bytes; MPII's largest is 10 MB


def read_pose_h5(path: Path, joints: int) -> dict[str, np.ndarray]:
    """Reads the table and checks its columns.

    Args:
        path: the file.
        joints: how many a person has.

    Returns:
        `imgname` `(n,)` texts, `center` `(n, 2)`, `scale` `(n,)`, `part` `(n, joints, 2)` and `visible`
        `(n, joints)`, and where the file has them `index`, `normalize` and `istrain`, each `(n,)`.

    Raises:
        ValueError: the file is not HDF5, or a column is missing, has another shape or lies outside of the
            file.
    """
    files.check_is_file(path)
    shapes: dict[str, tuple[int, ...]] = {
        "center": (2,),
        "scale": (),
        "part": (joints, 2),
        "visible": (joints,),
    }
    try:
        with h5py.File(path, "r") as file:
            optional = [name for name in ("index", "normalize", "istrain") if name in file]
            shapes |= {name: () for name in optional}
            columns = {name: _column(file, name, path) for name in ("imgname", *shapes)}
    except (OSError, RuntimeError, KeyError) as error:
        raise ValueError(f"{path}: not an HDF5 file that can be read: {error}") from None
    names = _texts(columns["imgname"], path)
    table = {"imgname": np.array(names, object)}
    for name, shape in shapes.items():
        column, expected = columns[name], (len(names), *shape)
        if column.dtype.kind not in "fiub" or column.shape not in (expected, (*expected, 1)):
            raise ValueError(
                f"{path}: the field {name!r} should hold numbers of the shape {expected}, got "
                f"{column.dtype} of the shape {column.shape}"
            )
        table[name] = column.reshape(expected)
    return table


def h5_entries(table: dict[str, np.ndarray], *, split: str, head: bool) -> list[Entry]:
    """The people of a table.

    Args:
        table: what `read_pose_h5` returned.
        split: `"train"`, `"test"` or `"all"` of the rows that `istrain` marks; without `istrain` all rows
            are taken, and `"test"` says that their joints were not published.
        head: whether `normalize` holds the head size.
    """
    rows = np.arange(len(table["imgname"]))
    marks = table.get("istrain", np.full(len(rows), TEST if split == "test" else TRAIN))
    wanted = {"train": (TRAIN,), "test": (TEST,)}.get(split, (TRAIN, TEST))
    indices = table.get("index", rows).astype(np.float64)
    whole = np.isfinite(indices) & (indices == np.round(indices))
    triples = np.concatenate([table["part"], table["visible"][..., None]], axis=-1).astype(np.float64)
    return [
        Entry(
            where=f"row {row}",
            name=table["imgname"][row],
            image_id=int(indices[row]) if whole[row] else int(row),
            center=table["center"][row].astype(float).tolist(),
            scale=float(table["scale"][row]),
            joints=triples[row].tolist(),
            head_size=float(table["normalize"][row]) if head and "normalize" in table else None,
            labelled=bool(marks[row] != TEST),
            unusable=None if whole[row] else f"the index {indices[row]:g} is not a whole number",
        )
        for row in rows[np.isin(marks, wanted)]
    ]


def _column(file: h5py.File, name: str, path: Path) -> np.ndarray:
    """One field, checked before its values are read."""
    if name not in file:
        raise ValueError(f"{path}: has no field {name!r}; it has: {', '.join(file) or 'none'}")
    item = file[name] if isinstance(file.get(name, getlink=True), h5py.HardLink) else None
    if not isinstance(item, h5py.Dataset):
        raise ValueError(f"{path}: the field {name!r} should hold numbers or texts in the file itself")
    if item.external or item.is_virtual:  # such a field shows the content of any other file
        raise ValueError(f"{path}: the field {name!r} lies in another file, which is not read")
    if item.nbytes > LARGEST_FIELD:
        raise ValueError(f"{path}: the field {name!r} of the shape {item.shape} is too large to be read")
    return np.asarray(item[()]) if item.dtype.kind != "O" else _long_texts(item, path)


def _long_texts(item: h5py.Dataset, path: Path) -> np.ndarray:
    """Texts of any length, read in small parts: many of them may be the same long one."""
    texts: list[object] = []
    left = LARGEST_FIELD
    for start in range(0, item.size or 0, 64):
        part = list(item[start : start + 64]) if item.ndim == 1 else []
        left -= sum(len(text) for text in part if isinstance(text, bytes | str))
        if left < 0:
            raise ValueError(f"{path}: the field {item.name!r} is too large to be read")
        texts += part
    return np.array(texts, object)


def _texts(values: np.ndarray, path: Path) -> list[str]:
    """File names from texts, or from rows of character codes that zeros fill up."""
    try:
        if values.ndim == 2 and values.dtype.kind in "fiu":
            if not ((values >= 0) & (values < 256)).all():
                raise ValueError(f"character codes such as {shown(values.max())}")
            rows = [bytes(row) for row in values.astype(np.uint8)]
        elif values.ndim == 1 and values.dtype.kind in "SO":
            rows = values.tolist()
        else:
            raise ValueError(f"{values.dtype} of the shape {values.shape}")
        texts = [row.decode("utf-8") if isinstance(row, bytes) else str(row) for row in rows]
    except ValueError as error:
        raise ValueError(
            f"{path}: the field 'imgname' should hold one text for each person, got {error}"
        ) from None
    return [text.rstrip("\0 ") for text in texts]
