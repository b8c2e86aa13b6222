"""The command `keras-cornernet`."""

from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any

import typer

from keras_cornernet.cli.audit import audit
from keras_cornernet.cli.benchmark import benchmark
from keras_cornernet.cli.check_data import check_data
from keras_cornernet.cli.console import cli_errors, needs_keras
from keras_cornernet.cli.convert import convert
from keras_cornernet.cli.convert_data import convert_data
from keras_cornernet.cli.demo import demo
from keras_cornernet.cli.evaluate import evaluate
from keras_cornernet.cli.export import export
from keras_cornernet.cli.label import label
from keras_cornernet.cli.make_data import make_data
from keras_cornernet.cli.models import models
from keras_cornernet.cli.predict import predict
from keras_cornernet.cli.selftest import selftest
from keras_cornernet.cli.train import train
from keras_cornernet.interruption import listen

app = typer.Typer(
    help="CornerNet detection and human pose: find objects, pose people, train on your own, measure.",
    epilog="Exit codes: 0 all done, 1 some inputs failed (each is named), 2 wrong use, "
    "130 or 143 stopped by Ctrl-C or SIGTERM.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _guarded(command: Callable[..., None], *, training: bool = False) -> Callable[..., None]:
    """The command with its errors in plain words; Keras is started first where it is needed."""

    @wraps(command)
    def run(**arguments: Any) -> None:
        with cli_errors(training=training, keras=needs_keras(command.__name__, arguments)):
            command(**arguments)

    return run


for command in (
    *(demo, models, predict, evaluate, label, check_data, convert_data),
    *(convert, export, selftest, benchmark, make_data),
):
    app.command(command.__name__.replace("_", "-"))(_guarded(command))
app.command("train")(_guarded(train, training=True))
app.command("audit")(_guarded(audit, training=True))


def main() -> None:
    """Runs the command line."""
    listen()
    app(prog_name="keras-cornernet")


def _print_version(wanted: bool) -> None:
    if wanted:
        import keras_cornernet

        typer.echo(keras_cornernet.__version__)
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options of the command line itself."""
