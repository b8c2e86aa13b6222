"""Arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated, Any

import typer

from keras_cornernet.cli.console import parse_shard, parse_size

Model = Annotated[
    str,
    typer.Argument(metavar="MODEL", help="A model with trained weights (see 'models') or a .keras file."),
]
Runnable = Annotated[
    str, typer.Argument(metavar="MODEL", help="As for other commands, or what 'export' wrote.")
]
Data = Annotated[
    list[Path] | None,
    typer.Option(
        help="Folder, zip or file of a data set, whose format and parts are found; once for each set.",
        metavar="PATH",
    ),
]
Annotations = Annotated[
    Path | None, typer.Option(help="In place of --data: COCO json file, or a file of the format given.")
]
Images = Annotated[Path | None, typer.Option(help="Folder that the annotations' file names are relative to.")]
Classes = Annotated[
    list[str] | None,
    typer.Option(help="Classes that count, by name: once for each, or several with commas (person,dog)."),
]
AnnotationFormat = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="coco|voc|yolo|..",
        help="Of --annotations: coco, voc, yolo, csv, createml, labelme, label-studio, tfrecord; people also "
        "lsp, mpii, flic.",
    ),
]
Split = Annotated[
    str | None,
    typer.Option(
        metavar="train|val|test|all",
        help="Part of a file of mpii or lsp that holds several; by default the one that the command is for.",
    ),
]
Adjusted = Annotated[
    bool | None,
    typer.Option(
        "--adjusted/--raw",
        help="Whether centres and scales of mpii are already enlarged; by default as the file's form says.",
    ),
]
Flip = Annotated[
    bool | None,
    typer.Option("--flip/--no-flip", help="Average with the mirror image; by default as the model says."),
]
Trust = Annotated[
    bool,
    typer.Option("--trust", help="Run a SavedModel of any operations, which may read and write files."),
]
MinPrecision = Annotated[
    float | None,
    typer.Option(
        help="Of detectors: show each class from the lowest score with this precision, not the best F1."
    ),
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on with the images that a stopped run of this command left.")
]
Shard = Annotated[
    Any,
    typer.Option(
        parser=parse_shard, metavar="I/N", help="Only every N-th image, from the I-th on, for N processes."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print json on standard output and nothing else there.")]
InputSize = Annotated[
    Any,
    typer.Option(
        parser=parse_size, metavar="HxW", help="Of the network's input, instead of the model's own."
    ),
]


def class_names(classes: list[str] | None) -> list[str]:
    """The names given by one or several `--classes`."""
    return [name.strip() for given in classes or () for name in given.split(",") if name.strip()]
