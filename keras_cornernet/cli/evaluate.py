"""`keras-cornernet evaluate`: AP or PCK on annotated images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keras_cornernet.cli.console import exit_if_any, list_problems, parse_numbers, progress_bar, show
from keras_cornernet.cli.data_sets import DataSets
from keras_cornernet.cli.options import (
    Adjusted,
    AnnotationFormat,
    Annotations,
    Classes,
    Data,
    Flip,
    Images,
    MinPrecision,
    Resume,
    Shard,
    Split,
    Trust,
    class_names,
)
from keras_cornernet.cli.predicting import identity
from keras_cornernet.journal import Journal, shard_name, shard_of

if TYPE_CHECKING:
    from keras_cornernet.evaluation import EvaluationResult


def evaluate_files(
    model: str,
    data_sets: DataSets,
    *,
    save_results: str | Path | None = None,
    detector: str | None = None,
    threshold: float | None = None,
    json_file: str | Path | None = None,
    flip: bool | None = None,
    settings: Mapping[str, Any] | None = None,
    paper: bool = False,
    min_precision: float | None = None,
    plots: str | Path | None = None,
    keep: bool = False,
    trust: bool = False,
    resume: bool = False,
    shard: tuple[int, int] | None = None,
    progress: Any = list,
) -> EvaluationResult:
    """Measures a model on annotated images.

    Args:
        model: a preset with weights, a `.keras` file or an exported file.
        data_sets: the images and their annotations; of folders, the parts for validation.
        save_results: receives what was found in COCO's result form, with the ids of the data set.
        detector: of a pose network: finds the people, in place of the annotated squares.
        threshold: of a pose network: of PCK, in torso sizes or longer sides of boxes; None for 0.2.
        json_file: receives the metrics.
        flip: average with the mirror image; None follows the model's settings.
        settings: of a detector in Keras: fields of `InferenceConfig` that differ from the model's. With
            `scales` images keep their own size, as in the papers.
        min_precision: see `evaluation.fit_operating_point`.
        plots: a folder for curves of precision over recall, and the confusion matrix.
        keep: write into the file of the model from which score on boxes of each class are worth showing.
        paper: measure with several scales and the mirror image, as the paper of the network does.
        trust: of models that are SavedModels, see `export.load`.
        resume: go on with the images that a stopped run left; what was found stands beside `save_results`.
        shard: `(i, n)`: only every n-th image, from the i-th on; `save_results` gets a name of its own.
        progress: wraps the images or people and shows how far the loop is, such as `tqdm.tqdm`.

    Raises:
        OSError: no image can be measured.
        ValueError: there is no such model, the annotations are of another format, or
            classes or joints do not match.
    """
    from keras_cornernet import files
    from keras_cornernet.experiment import keep_min_scores
    from keras_cornernet.tasks import load_model, task_of

    if save_results is None and (resume or shard is not None):
        raise ValueError("--resume and --shard need --save-results FILE, beside which results are kept")
    if keep and not Path(model).exists():
        raise ValueError(f"--keep writes into a .keras or exported file, and {model} is a preset")
    loaded = load_model(model, trust=trust)
    if not hasattr(loaded, "categories") and (plots is not None or keep or min_precision is not None):
        raise ValueError(f"--plots, --keep and --min-precision are of detectors, and {model} is none")
    if threshold is not None and not hasattr(loaded, "skeleton"):
        raise ValueError(f"--threshold is of pose networks, and {model} is none")
    if paper:
        settings, flip = {**_multi_scale(loaded, model), **(settings or {})}, True
    if settings:
        loaded = _with_settings(loaded, model, settings)
    dataset = data_sets.read(task_of(loaded), "val")
    if dataset is None:
        raise ValueError(f"data: none of {', '.join(data_sets.names)} has a part for validation")
    options: Mapping[str, Any] = {}
    if detector is not None:
        options = task_of(loaded).with_detector(load_model(detector, trust=trust))
    if threshold is not None:
        options = {**options, "threshold": threshold}
    if shard is not None:
        dataset = dataset.select(shard_of(list(range(len(dataset))), shard))
    with ExitStack() as stack:
        if save_results is not None:
            save_results = shard_name(save_results, shard)
            work = {
                "model": identity(model),
                "detector": None if detector is None else identity(detector),
                "data": data_sets.describe(),
                "settings": [flip, paper, {key: repr(value) for key, value in (settings or {}).items()}],
                "shard": shard,
            }
            journal = Journal(save_results.with_suffix(".jsonl"), work, resume=resume)
            options = {**options, "journal": stack.enter_context(journal)}
        result: EvaluationResult = loaded.evaluate(dataset, flip=flip, progress=progress, **options)
    point = task_of(loaded).operating_point(loaded, dataset, result, min_precision)
    if point is not None:
        metrics = {**result.metrics, "operating_point": point.rows()}
        table = f"{result.table}\n\nthe best score of each class to show boxes from:\n{point}"
        result = replace(result, metrics=metrics, table=table)
        if plots is not None:
            point.save(plots)
        if keep:
            keep_min_scores(model, point.min_scores, trust=trust)
    if json_file is not None:
        files.write_json(json_file, dict(result.metrics), indent=1)
    if save_results is not None:
        files.write_json(save_results, task_of(loaded).to_results(dataset, result))
    return result


def _with_settings(model: Any, name: str, settings: Mapping[str, Any]) -> Any:
    if not hasattr(model, "with_settings") or not hasattr(model, "categories"):
        raise ValueError(f"{', '.join(settings)}: of detectors in Keras, and {name} is none")
    sized = {"input_size": None} if tuple(settings.get("scales", (1.0,))) != (1.0,) else {}
    return model.with_settings(**sized, **settings)


def _multi_scale(model: Any, name: str) -> Mapping[str, Any]:
    from keras_cornernet.presets import family_of

    found = family_of(type(model.network)).multi_scale if hasattr(model, "network") else {}
    if not found:
        raise ValueError(f"paper: no test with several scales is known for {name}")
    return found


def evaluate_results(
    results: Sequence[str | Path], annotations: str | Path, *, json_file: str | Path | None = None
) -> EvaluationResult:
    """Measures the AP of boxes that were found before, by whatever program.

    Args:
        results: json files in COCO's result form, such as those of all shards.
        annotations: the COCO json file with the true boxes.
        json_file: receives the metrics.

    Raises:
        ValueError: a file is of another form.
    """
    from keras_cornernet import files
    from keras_cornernet.evaluation import EvaluationResult, evaluate_coco_files, format_table, read_results

    rows: Any = results[0]
    if len(results) > 1:
        rows = [row for path in results for row in read_results(path)]
    metrics = evaluate_coco_files(annotations, rows)
    if json_file is not None:
        files.write_json(json_file, dict(metrics), indent=1)
    return EvaluationResult(metrics, {"AP": metrics["AP"]}, format_table(metrics))


def evaluate(
    model: Annotated[
        str | None,
        typer.Argument(metavar="MODEL", help="As for other commands; none with --results."),
    ] = None,
    data: Data = None,
    annotations: Annotations = None,
    images: Images = None,
    annotation_format: AnnotationFormat = "coco",
    classes: Classes = None,
    detector: Annotated[
        str | None,
        typer.Option(help="For a pose network: a detector that finds the people, as in use."),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(help="For a pose network: of PCK, in torso sizes or longer sides of boxes (0.2)."),
    ] = None,
    split: Split = None,
    adjusted: Adjusted = None,
    head_boxes: Annotated[
        Path | None, typer.Option(help="For PCKh on a json of mpii: its mpii_gt_val.mat.")
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="File for the numbers.")] = None,
    plots: Annotated[
        Path | None,
        typer.Option(help="Folder for the curves of precision over recall, and the confusion matrix."),
    ] = None,
    keep: Annotated[
        bool,
        typer.Option(
            "--keep", help="Keep the best score of each class in the file of the model, for predict."
        ),
    ] = False,
    min_precision: MinPrecision = None,
    save_results: Annotated[
        Path | None, typer.Option(help="File for what was found, in COCO's result form with the data's ids.")
    ] = None,
    results: Annotated[
        list[Path] | None,
        typer.Option(
            help="In place of MODEL: boxes found before, a COCO result file; several times for shards. With "
            "--annotations."
        ),
    ] = None,
    resume: Resume = False,
    shard: Shard = None,
    flip: Flip = None,
    scales: Annotated[
        str | None,
        typer.Option(metavar="S,S,..", help="Look at images at these scales of their own size."),
    ] = None,
    suppression: Annotated[
        str | None,
        typer.Option(
            metavar="gaussian|linear|hard|none", help="Of overlapping boxes; by default as the model says."
        ),
    ] = None,
    paper: Annotated[
        bool,
        typer.Option("--paper", help="Several scales and the mirror image, as the network's paper tests."),
    ] = False,
    max_detections: Annotated[
        int | None, typer.Option(min=1, help="Boxes kept for each image; by default as the model says.")
    ] = None,
    trust: Trust = False,
) -> None:
    """Measure COCO AP of a detector, or PCK of a pose network, on annotated images."""
    if results:
        if model is not None or annotations is None or annotation_format != "coco":
            raise ValueError("results: expected --results FILE and --annotations FILE of COCO, and no MODEL")
        show(evaluate_results(results, annotations, json_file=json_file))
        return
    if model is None:
        raise ValueError("model: expected MODEL, or --results FILE")
    settings = {
        "scales": None if scales is None else parse_numbers("scales", scales),
        "method": suppression,
        "max_detections": max_detections,
    }
    result = evaluate_files(
        model,
        DataSets(
            data=data or (),
            annotations=annotations,
            images=images,
            annotation_format=annotation_format,
            classes=class_names(classes),
            options={"split": split, "adjusted": adjusted, "head_boxes": head_boxes},
        ),
        save_results=save_results,
        detector=detector,
        threshold=threshold,
        json_file=json_file,
        flip=flip,
        settings={name: value for name, value in settings.items() if value is not None},
        paper=paper,
        min_precision=min_precision,
        plots=plots,
        keep=keep,
        trust=trust,
        resume=resume,
        shard=shard,
        progress=progress_bar("measuring"),
    )
    show(result)
    failed = [problem for problem in result.problems if problem.costs_image]
    list_problems(result.notes, "note")
    list_problems([problem for problem in result.problems if problem not in failed], "left out")
    list_problems(failed)
    exit_if_any(failed)
