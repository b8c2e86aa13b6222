"""Fixtures for all tests."""

from collections.abc import Callable
from pathlib import Path

import pytest
from parity_folders import parity_folder

# Tests that compile training steps take the longest: they go first, so that no worker ends with one alone.
SLOW = ("tests/training/", "tests/cli/", "tests/experiment/")


@pytest.fixture(scope="session")
def parity(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Finds a folder of numbers that the authors' code computed: `parity("cornernet", "checkpoint.pth")`.

    A clone has small parts of the folders; the test is skipped where a file that it names was left out.
    """
    unpacked = tmp_path_factory.mktemp("parity")

    def folder(name: str, *needed: str) -> Path:
        return parity_folder(name, needed, unpacked)

    return folder


# First, so that `-m parity` finds the marker.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests of agreement, and puts those that take longest first; the order is otherwise kept."""
    for item in items:
        if "parity" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.parity)
    items.sort(key=lambda item: not item.nodeid.startswith(SLOW))
