"""Writes a `.keras` file with its kernels in half precision, as the files of this distribution are.

    python to_half.py runs/mine/best.keras keras_cornernet_weights/mine.keras

Kernels (arrays of two and more axes) become float16; biases and the arrays of batch normalization, which have
one axis, stay float32. Keras reads float16 arrays into float32 variables. Measure the model again
before keeping it.
"""

import argparse
import io
import zipfile
from pathlib import Path

import h5py
import numpy as np


def to_half(source: str | Path, target: str | Path) -> None:
    """Copies a `.keras` file, its kernels in float16 and its parts compressed.

    Raises:
        ValueError: a kernel holds a value that float16 cannot.
    """
    with zipfile.ZipFile(source) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["model.weights.h5"] = _half_weights(parts["model.weights.h5"])
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in parts.items():
            # A fixed date, so that the same weights give the same file.
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED, compresslevel=9)


def _half_weights(content: bytes) -> bytes:
    result = io.BytesIO()
    with h5py.File(io.BytesIO(content)) as source, h5py.File(result, "w") as target:

        def copy(name: str, item: h5py.Group | h5py.Dataset) -> None:
            if isinstance(item, h5py.Dataset):
                copied = target.create_dataset(name, data=_half(name, item[()]))
            else:
                copied = target.require_group(name)
            for key, value in item.attrs.items():
                copied.attrs[key] = value

        source.visititems(copy)
    return result.getvalue()


def _half(name: str, array: np.ndarray) -> np.ndarray:
    if array.dtype != np.float32 or array.ndim < 2:
        return array
    half = array.astype(np.float16)
    if not np.isfinite(half).all():
        raise ValueError(f"{name} holds {np.abs(array).max():g}, more than the 65504 that float16 can")
    return half


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    arguments = parser.parse_args()
    to_half(arguments.source, arguments.target)
