"""How the tests of the command line call it."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest
from typer.testing import CliRunner

from keras_cornernet import cli, tasks


def run(*arguments):
    """Runs a command in this process."""
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


def data(folder: Path) -> tuple:
    """The options that name a data set in COCO form."""
    return "--annotations", folder / "annotations.json", "--images", folder / "images"


def load_once() -> Iterator[None]:
    """Keeps models that commands load, and their compiled graphs: compiling takes seconds each time."""
    patch = pytest.MonkeyPatch()
    load = lru_cache(maxsize=4)(tasks.load_model)
    patch.setattr(tasks, "load_model", lambda model, **options: load(str(model), **options))
    yield
    patch.undo()
