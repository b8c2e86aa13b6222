"""`keras-cornernet label`: labels for one's own images, made by a model."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from keras_cornernet.cli.console import exit_if_any, list_problems, progress_bar, show
from keras_cornernet.cli.options import AsJson, Classes, Flip, Resume, Runnable, Shard, Trust, class_names
from keras_cornernet.cli.predicting import expand_sources, identity
from keras_cornernet.journal import Journal, shard_name, shard_of, write_rows


@dataclass(frozen=True)
class LabelResult:
    """What `label` wrote; the fields are fit for json.

    Attributes:
        output: the COCO file.
        root: the folder that its file names are relative to.
        images: that were read.
        labels: objects that count.
        unsure: objects that became crowds.
        noun: what they are called.
        failed: one message for each input that could not be read.
    """

    output: str
    root: str
    images: int
    labels: int
    unsure: int
    noun: str
    failed: list[str]

    def __str__(self) -> str:
        return (
            f"{self.images} images, {self.labels} {self.noun} and {self.unsure} unsure ones (iscrowd): "
            f"{self.output}, with images in {self.root}"
        )


def label_files(
    model: str,
    sources: Sequence[str | Path],
    output: str | Path,
    *,
    detector: str | None = None,
    min_score: float = 0.5,
    unsure: float | None = None,
    classes: Sequence[str] = (),
    flip: bool | None = None,
    trust: bool = False,
    resume: bool = False,
    shard: tuple[int, int] | None = None,
    progress: Any = list,
) -> LabelResult:
    """Labels images with what a model finds on them; see `experiment.labelling.label_images`.

    Args:
        model: a preset with weights, a `.keras` file or an exported file.
        sources: images and folders of images.
        output: the COCO json file to write.
        detector: for a pose network: the model that finds the people.
        min_score, unsure, classes: see `label_images`; people are scored by box and joints together.
        flip: average with the mirror image; None follows the model's settings.
        trust: of models that are SavedModels, see `export.load`.
        resume, shard: as of `predict_files`; images that are done stand in a `.jsonl` file beside the output.
        progress: wraps the images and shows how far the loop is, such as `tqdm.tqdm`.

    Raises:
        ValueError: there is no such model, an argument does not apply to it, or the output is a folder.
    """
    from keras_cornernet import files
    from keras_cornernet.experiment.labelling import coco_tables, label_rows
    from keras_cornernet.tasks import load_model, task_of

    if Path(output).is_dir():
        raise ValueError(f"--output must be a file, and {output} is a folder")
    _, paths, failed = expand_sources(sources)
    if not paths:
        raise ValueError(f"sources: there is no image in {', '.join(map(str, sources))}")
    root = files.common_folder(paths)
    output = shard_name(output, shard)
    loaded = load_model(model, trust=trust)
    task = task_of(loaded)
    finder = None if detector is None else load_model(detector, trust=trust)
    lowest = min_score / 2 if unsure is None else unsure
    plan = task.prediction(loaded, detector=finder, min_score=None if finder is None else lowest)
    plan = replace(plan, all_options={**plan.all_options, "flip": flip})
    work = {
        "model": identity(model),
        "detector": None if detector is None else identity(detector),
        "options": [min_score, unsure, list(classes), flip],
        "shard": shard,
        "root": str(root),
    }
    with Journal(output.with_suffix(".jsonl"), work, resume=resume) as journal:
        rows = label_rows(
            plan,
            (path for path in progress(shard_of(paths, shard)) if path not in journal),
            root,
            min_score=min_score,
            unsure=unsure,
            classes=classes,
            on_error=lambda _, error: failed.append(str(error)),
        )
        for row in rows:
            journal.add(row.pop("path"), row)
        write_rows(output, coco_tables(journal.rows, plan, classes))
        crowds = [entry["iscrowd"] for row in journal.rows() for entry in row["annotations"]]
        images = len(journal)
    return LabelResult(
        str(output), str(root), images, len(crowds) - sum(crowds), sum(crowds), task.noun, failed
    )


def label(
    model: Runnable,
    sources: Annotated[list[Path], typer.Argument(metavar="SOURCE ..", help="Images and folders of images.")],
    output: Annotated[Path, typer.Option(help="The COCO json file to write.")] = Path("labels.json"),
    score: Annotated[float, typer.Option(help="Objects from this score on become labels.")] = 0.5,
    unsure: Annotated[
        float | None,
        typer.Option(
            help="Those from this score on become crowds, which training ignores (half of --score)."
        ),
    ] = None,
    classes: Classes = None,
    detector: Annotated[
        str | None, typer.Option(help="For a pose network: a detector that finds the people.")
    ] = None,
    flip: Flip = None,
    trust: Trust = False,
    resume: Resume = False,
    shard: Shard = None,
    as_json: AsJson = False,
) -> None:
    """Label your own images with a model: a COCO file to train with, or to correct first."""
    result = label_files(
        model,
        sources,
        output,
        detector=detector,
        min_score=score,
        unsure=unsure,
        classes=class_names(classes),
        flip=flip,
        trust=trust,
        resume=resume,
        shard=shard,
        progress=progress_bar("labelling"),
    )
    show(result, as_json)
    list_problems(result.failed)
    exit_if_any(result.failed)
