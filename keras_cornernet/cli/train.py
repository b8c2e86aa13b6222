"""`keras-cornernet train`: a training run from files."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from keras_cornernet.cli.console import exit_if_any, list_problems, parse_size, show
from keras_cornernet.cli.data_sets import DataSets
from keras_cornernet.cli.options import (
    Adjusted,
    AnnotationFormat,
    Annotations,
    Classes,
    Data,
    Images,
    InputSize,
    MinPrecision,
    class_names,
)
from keras_cornernet.cli.training import RateResult, train_on_files


def train(
    preset: Annotated[
        str, typer.Argument(metavar="PRESET", help="A name (see 'models') or a .keras file to start from.")
    ],
    data: Data = None,
    data_weight: Annotated[
        list[float] | None,
        typer.Option(help="For each --data the fraction of its images that an epoch shows, such as 0.5."),
    ] = None,
    annotations: Annotations = None,
    images: Images = None,
    val_annotations: Annotated[
        Path | None, typer.Option(help="Annotations of the validation set, for AP or PCK and the best model.")
    ] = None,
    val_images: Annotated[Path | None, typer.Option(help="Its folder, if another one.")] = None,
    val_fraction: Annotated[
        float | None, typer.Option(help="Set this fraction of the images aside for validation.")
    ] = None,
    annotation_format: AnnotationFormat = "coco",
    adjusted: Adjusted = None,
    classes: Classes = None,
    background: Annotated[
        bool, typer.Option("--background", help="Most images are meant to have no box.")
    ] = False,
    weights: Annotated[
        Path | None, typer.Option(help="A .keras or .npz file to start from, as far as its weights fit.")
    ] = None,
    from_scratch: Annotated[
        bool,
        typer.Option("--from-scratch", help="Start from random weights where the preset has trained ones."),
    ] = False,
    terms: Annotated[
        list[str] | None,
        typer.Option(
            help="On which the data may be used, kept in the model: for all, or once for each --data."
        ),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Passes over the data (100; papers' presets: as published).")
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(help="In place of --epochs: the length of the run, reading of the data included."),
    ] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, help="Images per step (8; likewise).")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="The peak (0.001; likewise).")] = None,
    optimizer: Annotated[
        str | None,
        typer.Option(
            metavar="adam|adamw|rmsprop", help="rmsprop: Torch's, of the pose papers (adam; likewise)."
        ),
    ] = None,
    weight_decay: Annotated[
        float | None, typer.Option(help="Of adamw: taken off kernels, times the learning rate (0.02).")
    ] = None,
    mixed_precision: Annotated[
        bool | None, typer.Option("--mixed-precision", help="Compute in bfloat16, for GPUs that have it.")
    ] = None,
    rematerialize: Annotated[
        bool | None,
        typer.Option("--rematerialize", help="Less memory, more time: inner maps are computed twice."),
    ] = None,
    pipeline: Annotated[
        str | None,
        typer.Option(
            metavar="auto|host|device",
            help="Where batches are made; auto: on a GPU if there is one that holds all images (auto).",
        ),
    ] = None,
    input_size: InputSize = None,
    train_size: Annotated[
        list[Any] | None,
        typer.Option(
            parser=parse_size, metavar="HxW", help="Sizes that training shows in turn; once for each."
        ),
    ] = None,
    augmentation: Annotated[
        str | None,
        typer.Option(metavar="default|photos", help="photos: stronger, for photographs (default)."),
    ] = None,
    rotations: Annotated[
        bool | None,
        typer.Option("--rotations", help="Augment with rotations too: for subjects without an upright side."),
    ] = None,
    accumulate: Annotated[
        int | None, typer.Option(min=1, help="Batches in one optimizer step, where memory is short (1).")
    ] = None,
    freeze: Annotated[
        float | None,
        typer.Option(help="Fraction of the weights, from the images on, that stay as they are (0)."),
    ] = None,
    early_stopping: Annotated[
        int | None,
        typer.Option(min=1, help="End after so many measurements without a better one (never)."),
    ] = None,
    evaluate_every: Annotated[
        int | None, typer.Option(min=1, help="Epochs between measurements (5).")
    ] = None,
    min_precision: MinPrecision = None,
    find_learning_rate: Annotated[
        bool,
        typer.Option(
            "--find-learning-rate", help="Train on 100 batches only, and say which learning rate is good."
        ),
    ] = False,
    devices: Annotated[
        str | None,
        typer.Option(metavar="N|all", help="GPUs of this machine that share each batch (1)."),
    ] = None,
    batch_norm: Annotated[
        bool | None,
        typer.Option(
            "--synchronized/--not-synchronized",
            help="With several devices: BatchNorm over the whole batch, or on each device, as papers have it "
            "(presets of papers: not; others: synchronized).",
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Of weights, order, augmentation (0).")] = None,
    output: Annotated[Path | None, typer.Option(help="Folder of the run; by default runs/PRESET.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run in the folder.")] = False,
) -> None:
    """Train a detector or a pose network: best.keras, last.keras, results.csv, curves and pictures."""
    config = {
        "epochs": epochs,
        "minutes": minutes,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "optimizer": optimizer,
        "weight_decay": weight_decay,
        "mixed_precision": mixed_precision,
        "rematerialize": rematerialize,
        "pipeline": pipeline,
        "input_size": input_size,
        "train_sizes": tuple(train_size) if train_size else None,
        "augmentation": augmentation,
        "rotations": rotations,
        "accumulate": accumulate,
        "freeze": freeze,
        "early_stopping": early_stopping,
        "evaluate_every": evaluate_every,
        "min_precision": min_precision,
        "devices": _devices(devices),
        "synchronized": batch_norm,
        "seed": seed,
    }
    result = train_on_files(
        preset,
        DataSets(
            data=data or (),
            data_weights=data_weight or (),
            annotations=annotations,
            images=images,
            annotation_format=annotation_format,
            classes=class_names(classes),
            options={"adjusted": adjusted},
            terms=terms or (),
        ),
        val_annotations=val_annotations,
        val_images=val_images,
        val_fraction=val_fraction,
        background=background,
        weights=weights,
        from_scratch=from_scratch,
        output=output,
        config={name: value for name, value in config.items() if value is not None},
        resume=resume,
        verbose=1 if sys.stdout.isatty() else 2,
        find_rate=find_learning_rate,
    )
    show(result)
    if isinstance(result, RateResult):
        return
    list_problems(result.failed)
    exit_if_any(result.failed)


def _devices(text: str | None) -> int | str | None:
    if text is None or text == "all":
        return text
    if not text.isdecimal() or not 1 <= int(text[:6]) <= 10_000:
        raise typer.BadParameter(f"--devices: expected a number from 1 on or all, got {text!r}")
    return int(text)
