"""Fixtures for all tests."""

from collections.abc import Callable
from pathlib import Path

import pytest

# Tests that compile training steps take the longest: they go first, so that no worker ends with one alone.
SLOW = ("tests/training/", "tests/test_cli", "tests/test_experiment.py")

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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the slow tests first; the order is otherwise kept."""
    items.sort(key=lambda item: not item.nodeid.startswith(SLOW))
