"""`keras-cornernet evaluate`: AP or PCK on annotated images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keras_cornernet.cli.console import exit_if_any, list_problems, progress_bar, show
from keras_cornernet.cli.options import Adjusted, AnnotationFormat, Annotations, Flip, Images, Runnable, Split

if TYPE_CHECKING:
    from keras_cornernet.evaluation import EvaluationResult


def evaluate_files(
    model: str,
    annotations: str | Path,
    images: str | Path,
    *,
    annotation_format: str = "coco",
    json_file: str | Path | None = None,
    flip: bool | None = None,
    progress: Any = list,
    **reading: Any,
) -> EvaluationResult:
    """Measures a model on annotated images.

    Args:
        model: a preset with weights, a `.keras` file or an exported file.
        annotations, images: the file and the folder of its images.
        annotation_format: of the annotations, see `data.readers.READERS`.
        json_file: receives the metrics.
        flip: average with the mirror image; None follows the model's settings.
        progress: wraps the images or people and shows how far the loop is, such as `tqdm.tqdm`.
        reading: options of the reader: `split` ("val" by default), `adjusted`, `head_boxes`.

    Raises:
        ValueError: there is no such model, the annotations are of another format, no image can be read, or
            classes or joints do not match.
    """
    from keras_cornernet import files
    from keras_cornernet.data.checking import raise_if_empty
    from keras_cornernet.data.readers import read_dataset
    from keras_cornernet.tasks import load_model, task_of

    loaded = load_model(model)
    readers = task_of(loaded).readers
    dataset = read_dataset(readers, annotations, images, annotation_format, part="val", **reading)
    raise_if_empty(dataset, annotations)
    result: EvaluationResult = loaded.evaluate(dataset, flip=flip, progress=progress)
    if json_file is not None:
        files.write_json(json_file, dict(result.metrics), indent=1)
    return result


def evaluate(
    model: Runnable,
    annotations: Annotations,
    images: Images,
    annotation_format: AnnotationFormat = "coco",
    split: Split = None,
    adjusted: Adjusted = None,
    head_boxes: Annotated[
        Path | None, typer.Option(help="For PCKh on a json of mpii: its mpii_gt_val.mat.")
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="File for the numbers.")] = None,
    flip: Flip = None,
) -> None:
    """Measure COCO AP of a detector, or PCK of a pose network, on annotated images."""
    result = evaluate_files(
        model,
        annotations,
        images,
        annotation_format=annotation_format,
        split=split,
        adjusted=adjusted,
        head_boxes=head_boxes,
        json_file=json_file,
        flip=flip,
        progress=progress_bar("measuring"),
    )
    show(result)
    failed = [problem for problem in result.problems if problem.costs_image]
    list_problems(result.notes, "note")
    list_problems([problem for problem in result.problems if problem not in failed], "left out")
    list_problems(failed)
    exit_if_any(failed)
