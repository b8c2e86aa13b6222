"""What every command shares: plain messages, exit codes and progress bars.

Exit codes: 0 all done, 1 some inputs failed (each is named), 2 wrong use, 130 stopped by Ctrl-C,
143 stopped by SIGTERM.
"""

import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from typing import Any

import typer

from keras_cornernet.backend import prepare_backend, start_backend_quietly
from keras_cornernet.interruption import Stopped, exit_code, raise_if_asked

DEBUG = "KERAS_CORNERNET_DEBUG"  # set it to see tracebacks
WRONG_USE = (ValueError, ImportError, FileNotFoundError, NotADirectoryError, IsADirectoryError)
STOPPED = "stopped; nothing is half-written"
SHOWN = 50  # problems that are printed one by one


# Commands that know nothing of networks.
WITHOUT_KERAS = ("convert_data", "make_data")


def needs_keras(command: str, arguments: Mapping[str, Any]) -> bool:
    """Whether a command will need Keras: not where all models that it is given are exported files.

    Args:
        command: the name of its function.
        arguments: what it is called with; models are called `model` and `detector`.
    """
    if command in WITHOUT_KERAS:
        return False
    models = [arguments[name] for name in ("model", "detector") if arguments.get(name) is not None]
    if not models:
        return not arguments.get("results")

    from pathlib import Path

    from keras_cornernet.export.runtimes import is_exported

    return not all(is_exported(model) and not Path(model).is_dir() for model in models)


@contextmanager
def cli_errors(*, training: bool = False, keras: bool = True) -> Iterator[None]:
    """Turns errors into one message and an exit code; with `keras` starts its backend first, quietly."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    _log_plainly()
    try:
        if keras:
            prepare_backend(training=training)
            start_backend_quietly()
        yield
        raise_if_asked()
    except KeyboardInterrupt:
        _fail(STOPPED, 130)
    except Stopped as stopped:
        _fail(STOPPED, stopped.exit_code)
    except Exception as error:
        asked = exit_code()
        if asked is not None:  # some library made another error of the request
            _fail(STOPPED, asked)
        if os.environ.get(DEBUG) or isinstance(error, typer.Exit | typer.BadParameter):
            raise
        if isinstance(error, WRONG_USE):
            _fail(f"error: {error}", 2, error)
        if isinstance(error, OSError | FloatingPointError) or type(error).__module__.startswith("tensorflow"):
            _fail(f"error: {error}", 1, error)
        if "No space left on device" in str(error):  # HDF5 raises a RuntimeError
            _fail("error: the disk is full", 1, error)
        if isinstance(error, MemoryError):
            _fail(f"error: there is not enough memory ({_one_line(error)})", 1, error)
        # A fault of this package; whoever looks for it wants the traceback.
        _fail(f"error: {type(error).__name__}: {_one_line(error)} ({DEBUG}=1 shows more)", 1, error)


def _one_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else "no message"


class _Plain(logging.Formatter):
    """Notes as they are, warnings with the word before them."""

    def format(self, record: logging.LogRecord) -> str:
        message = super().format(record)
        return message if record.levelno <= logging.INFO else f"warning: {message}"


def _log_plainly() -> None:
    """Shows notes of this package and warnings of all on standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Plain("%(message)s"))
    logging.basicConfig(handlers=[handler])
    logging.getLogger("keras_cornernet").setLevel(logging.INFO)


def _fail(message: str, code: int, error: Exception | None = None) -> None:
    typer.echo(message, err=True)
    raise typer.Exit(code) from error


def show(result: Any, as_json: bool = False) -> None:
    """Prints a result, a dataclass with a `__str__`, for people or for machines."""
    typer.echo(json.dumps(asdict(result)) if as_json else str(result))


def list_problems(problems: Sequence[object], words: str = "failed") -> None:
    """Names what failed on standard error."""
    for problem in problems[:SHOWN]:
        typer.echo(f"{words}: {problem}", err=True)
    if len(problems) > SHOWN:
        typer.echo(f".. and {len(problems) - SHOWN} more", err=True)


def exit_if_any(failed: Sequence[object]) -> None:
    """Ends the command with exit code 1 if something failed."""
    if failed:
        raise typer.Exit(1)


def progress_bar(words: str) -> Callable[[Any], Any]:
    """Shows how far a loop is, on standard error and only on a terminal."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    return partial(track, description=words, console=console, disable=not console.is_terminal)


def parse_size(text: str) -> tuple[int, int]:
    """Reads `HEIGHTxWIDTH`."""
    from keras_cornernet.checks import check_size

    parts = str(text).lower().split("x")
    if len(parts) != 2 or not all(part.isdecimal() and part.strip("0") for part in parts):
        raise typer.BadParameter(f"expected HEIGHTxWIDTH such as 320x448, got {text!r}")
    try:
        size = int(parts[0]), int(parts[1])
        check_size("HEIGHTxWIDTH", size)
    except ValueError as error:  # Python reads no number of more than 4,300 digits
        raise typer.BadParameter(str(error)) from None
    return size


def parse_shard(text: str) -> tuple[int, int]:
    """Reads `I/N`."""
    index, slash, count = str(text).partition("/")
    if not slash or not (index.isdecimal() and count.isdecimal() and len(index + count) < 12):
        raise typer.BadParameter(f"expected I/N such as 1/8, got {text!r}")
    if not 1 <= int(index) <= int(count):
        raise typer.BadParameter(f"expected I/N with I from 1 to N, got {text!r}")
    return int(index), int(count)


def parse_numbers(name: str, text: str) -> tuple[float, ...]:
    """Reads `1,2.5,..`, the value of the option `name`."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise ValueError(f"{name}: expected numbers with commas between them, got {text!r}") from None


def check_output_folder(output: object) -> None:
    """Raises `ValueError` where a folder to write into is a file."""
    from pathlib import Path

    if Path(str(output)).is_file():
        raise ValueError(f"--output must be a folder, and {output} is a file")
