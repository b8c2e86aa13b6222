"""`keras-cornernet predict`: objects or poses on images and videos."""

from pathlib import Path
from typing import Annotated

import typer

from keras_cornernet.cli.console import exit_if_any, list_problems, progress_bar, show
from keras_cornernet.cli.options import AsJson, Classes, Flip, Resume, Runnable, Shard, Trust, class_names
from keras_cornernet.cli.predicting import predict_files


def predict(
    model: Runnable,
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE ..",
            help="Images, folders, patterns, lists (.txt), addresses, videos, camera:0.",
        ),
    ],
    output: Annotated[Path, typer.Option(help="Folder for pictures and json.")] = Path("predictions"),
    min_score: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Leave out boxes below this score; by default predictions.json holds all, and pictures show "
            "boxes from the score that the model states for their class (see evaluate --keep), or from 0.3.",
        ),
    ] = None,
    detector: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="For a pose network: finds the people. Without it each image is one person who fills it.",
        ),
    ] = None,
    boxes: Annotated[
        Path | None,
        typer.Option(
            help="For a pose network: people found by any other detector: a COCO result file (with "
            "--annotations for its ids) or a folder of YOLO's text files."
        ),
    ] = None,
    classes: Classes = None,
    flip: Flip = False,
    recursive: Annotated[
        bool, typer.Option("--recursive", help="Of folders, also the images in the folders in them.")
    ] = False,
    pictures: Annotated[
        bool, typer.Option("--pictures/--no-pictures", help="Write a picture for each image.")
    ] = True,
    annotations: Annotated[
        Path | None, typer.Option(help="COCO json file whose ids the images get in the results.")
    ] = None,
    every: Annotated[int, typer.Option(min=1, help="Of videos: look at each so many frames.")] = 1,
    max_frames: Annotated[
        int | None, typer.Option(min=1, help="Of videos and cameras: end after so many frames.")
    ] = None,
    follow: Annotated[
        bool,
        typer.Option(
            "--follow",
            help="Of videos, for a pose network with --detector: follow one person, and ask the detector "
            "only when the person is lost.",
        ),
    ] = False,
    trust: Trust = False,
    resume: Resume = False,
    shard: Shard = None,
    as_json: AsJson = False,
) -> None:
    """Find objects, or pose people: a picture for each image, and predictions.json in COCO result form."""
    result = predict_files(
        model,
        sources,
        output,
        detector=detector,
        min_score=min_score,
        flip=flip,
        classes=class_names(classes),
        recursive=recursive,
        pictures=pictures,
        every=every,
        max_frames=max_frames,
        follow=follow,
        annotations=annotations,
        boxes=boxes,
        trust=trust,
        resume=resume,
        shard=shard,
        progress=progress_bar("predicting"),
    )
    show(result, as_json)
    list_problems(result.failed)
    exit_if_any(result.failed)
