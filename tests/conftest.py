"""Fixtures for all tests."""

from collections.abc import Callable
from pathlib import Path

import pytest

PARITY = Path(__file__).parents[2] / "shared" / "parity"


@pytest.fixture(scope="session")
def parity() -> Callable[[str], Path]:
    """Finds a folder of numbers that the authors' code computed; a clone without them skips the test."""

    def folder(name: str) -> Path:
        path = PARITY / name
        if not path.is_dir():
            pytest.skip(f"needs ../shared/parity/{name}, which is no part of the repository")
        return path

    return folder
