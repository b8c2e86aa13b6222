"""`keras-cornernet convert`: a PyTorch checkpoint to a .keras file."""

from pathlib import Path
from typing import Annotated

import typer

from keras_cornernet.cli.console import list_problems


def convert(
    checkpoint: Annotated[
        Path,
        typer.Argument(metavar="CHECKPOINT", help="A PyTorch file of the authors' or a compatible code."),
    ],
    output: Annotated[Path, typer.Option(help="The .keras file to write.")],
    num_classes: Annotated[
        int | None, typer.Option(min=1, help="New class heads for so many classes; the body is kept.")
    ] = None,
) -> None:
    """Turn a PyTorch checkpoint into a .keras file."""
    from keras_cornernet.conversion import convert as convert_file
    from keras_cornernet.files import sha256_of

    report = convert_file(checkpoint, output, num_classes=num_classes)
    typer.echo(f"{checkpoint}: sha256 {sha256_of(checkpoint)}")
    typer.echo(f"{output}: {report.parameters:,} parameters, from a file of {report.layout}")
    for name, value in report.arguments.items():
        typer.echo(f"  {name:<18}{value}")
    list_problems([f"{name} ({why})" for name, why in report.unused.items()], "not used")
    list_problems(report.missing, "new")
