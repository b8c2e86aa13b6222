"""Folders of numbers that the authors' code computed: the full ones, or the small parts in the repository.

The full folders are `../shared/parity`, which is not part of the repository. `tests/fixtures/parity` holds
small parts of them, one archive for each folder, which `tests/fixtures/make_parity_subset.py` packs.
"""

import tarfile
from pathlib import Path

import numpy as np
import pytest

FULL = Path(__file__).parents[2] / "shared" / "parity"
SMALL = Path(__file__).parent / "fixtures" / "parity"


def parity_folder(name: str, needed: tuple[str, ...], unpacked: Path) -> Path:
    """The folder of that name, the full one where it exists; skips the test if it lacks a needed file.

    Args:
        name: of the folder, such as `"cornernet"`.
        needed: files that the test reads and that may have been left out of the small folder.
        unpacked: where the small folders are unpacked.
    """
    folder = FULL / name
    if not folder.is_dir():
        folder = unpacked / name
        archive = SMALL / f"{name}.tar.xz"
        if not folder.is_dir() and archive.is_file():
            unpack(archive, folder)
    missing = [file for file in needed or ("",) if not (folder / file).exists()]
    if missing:
        pytest.skip(f"../shared/parity/{name}/{missing[0]} is too large for tests/fixtures/parity")
    return folder


def unpack(archive: Path, folder: Path) -> None:
    """Unpacks an archive of `make_parity_subset.py`; its `NAME.npz.d/KEY.npy` become `NAME.npz`."""
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
        arrays: dict[str, dict[str, np.ndarray]] = {}
        for part in tar.getnames():  # in the order of the full file
            file, _, key = part.partition(".d/")
            if key:
                arrays.setdefault(file, {})[key.removesuffix(".npy")] = np.load(folder / part)
    for file, content in arrays.items():
        np.savez(folder / file, **content)
