"""`keras-cornernet audit`: probable mistakes in one's own labels."""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from keras_cornernet.cli.console import (
    check_output_folder,
    exit_if_any,
    list_problems,
    progress_bar,
    show,
)
from keras_cornernet.cli.data_sets import DataSets
from keras_cornernet.cli.options import (
    Adjusted,
    AnnotationFormat,
    Annotations,
    AsJson,
    Classes,
    Images,
    InputSize,
    class_names,
)

MINUTES = 30.0  # of a run whose length is not given
LISTED_FROM = 0.1  # scores of mistakes.json
PROBABLE = 0.5  # scores that are counted
ON_SHEET = 12  # pictures of worst.jpg


@dataclass(frozen=True)
class AuditResult:
    """What an audit found; the fields are fit for json.

    Attributes:
        output: the folder of the lists and pictures.
        mistakes: the list of suspicions, a json file.
        probable: number of suspicions of each kind with a score from 0.5 on.
        audited: number of labels.
        noun: what a label is called, in the singular.
        scores: of each model on the labels that it had not seen, by name.
        corrected: the COCO file with those put right that were asked for, and the folder that its file names
            are relative to; or None.
        corrections: number of labels put right there.
        pictures: files.
        failed: one message for each image that cannot be used.
    """

    output: str
    mistakes: str
    probable: dict[str, int]
    audited: int
    noun: str
    scores: list[dict[str, float]]
    corrected: tuple[str, str] | None
    corrections: int
    pictures: list[str]
    failed: list[str]

    def __str__(self) -> str:
        name = next(iter(self.scores[0]))
        values = ", ".join(f"{score[name]:.3f}" for score in self.scores)
        lines = [
            f"{name} on labels not seen: {values}",
            f"of {self.audited} labels ({self.noun}) these are probably wrong (score {PROBABLE} and higher):",
            *(f"  {count:5d} {kind}" for kind, count in self.probable.items()),
            f"{self.mistakes}" + (f", the worst in {self.pictures[0]}" if self.pictures else ""),
        ]
        if self.corrected is not None:
            path, root = self.corrected
            lines.append(f"{self.corrections} put right: {path}, with images in {root}")
        return "\n".join(lines)


def audit_labels(
    data_sets: DataSets,
    output: str | Path,
    *,
    part: str = "train",
    preset: str | None = None,
    model: str | None = None,
    folds: int = 4,
    weights: str | Path | None = None,
    config: Mapping[str, Any] | None = None,
    correct_above: float | None = None,
    pictures: int = 24,
    verbose: str | int = "auto",
    progress: Any = list,
) -> AuditResult:
    """Ranks the probable mistakes of a data set; see `experiment.audit`.

    Args:
        data_sets: the images and their labels.
        output: folder for `mistakes.json`, `worst.jpg`, the folder `pictures` and the runs of the folds.
        part: of the data, `"train"` or `"val"`.
        preset: whose networks are trained; by default of the first task that reads the data.
        model: in place of training: a model that has not seen these labels.
        folds: number of models that are trained.
        weights: a file whose weights the networks start from.
        config: fields of `TrainingConfig`; without `epochs` and `minutes` all runs together take 30 minutes.
        correct_above: suspicions from this score on are put right in `corrected.json`; None writes none.
        pictures: how many of the worst are drawn.
        verbose: of `keras.Model.fit`.
        progress: wraps what a model is asked about, such as `tqdm.tqdm`.

    Raises:
        ValueError: nothing is labelled, an argument is out of range, or as `experiment.audit`.
    """
    from keras_cornernet import experiment, files
    from keras_cornernet.checks import check_number
    from keras_cornernet.presets import training_config
    from keras_cornernet.tasks import load_model, task_of

    check_output_folder(output)
    if correct_above is not None:
        check_number("correct_above", correct_above, above=0, at_most=1)
    if model is not None and (preset is not None or weights is not None or config):
        raise ValueError("model: it is not trained, so that options of training do not apply")
    source = model or preset
    task = task_of(source) if source else data_sets.find_task()
    if task.auditor is None:
        raise ValueError(f"the labels of {task.name} cannot be audited")
    dataset = data_sets.read(task, part)
    if dataset is None:
        raise ValueError(f"data: none of {', '.join(data_sets.names)} has a part {part}")
    unusable: dict[Any, None] = dict.fromkeys(dataset.problems)
    if model is not None:
        found = experiment.audit_by_model(
            load_model(model), dataset, on_problem=unusable.setdefault, progress=progress
        )
    else:
        preset = preset or task.auditor.preset
        settings = dict(config or {})
        if not {"epochs", "minutes"} & set(settings):
            settings["minutes"] = MINUTES
        found = experiment.audit(
            preset,
            dataset,
            output,
            training_config(preset, **settings),
            folds=folds,
            weights=weights,
            verbose=verbose,
            on_problem=unusable.setdefault,
            progress=progress,
        )
    output, root = Path(output), files.common_folder(dataset.paths)
    listed = [mistake for mistake in found.mistakes if mistake.score >= LISTED_FROM]
    rows = [_row(task.auditor, dataset, mistake, root) for mistake in listed]
    path = files.write_json(output / "mistakes.json", {"root": str(root), "mistakes": rows}, indent=1)
    corrected = None
    if correct_above is not None:
        content = task.to_coco(found.corrected(correct_above), root)
        corrected = str(files.write_json(output / "corrected.json", content)), str(root)
    counts = Counter(mistake.kind for mistake in listed if mistake.score >= PROBABLE)
    return AuditResult(
        output=str(output),
        mistakes=str(path),
        probable={kind: counts[kind] for kind in task.auditor.kinds},
        audited=dataset.annotation_count,
        noun=dataset.annotation_noun,
        scores=list(found.scores),
        corrected=corrected,
        corrections=sum(m.score >= correct_above for m in found.mistakes) if correct_above else 0,
        pictures=_draw(task.auditor, dataset, listed[:pictures], rows, output),
        failed=[str(problem) for problem in unusable if problem.costs_image],
    )


def _row(auditor: Any, dataset: Any, mistake: Any, root: Path) -> dict[str, Any]:
    from keras_cornernet import files

    return {
        "image": files.relative_to(root, dataset.paths[mistake.item]),
        "kind": mistake.kind,
        "score": round(mistake.score, 4),
        **auditor.describe(dataset, mistake),
    }


def _draw(
    auditor: Any, dataset: Any, mistakes: Sequence[Any], rows: Sequence[dict[str, Any]], output: Path
) -> list[str]:
    """Writes a sheet of the worst, and a picture of each: as labelled, and beside it as suggested."""
    from keras_cornernet import files, visualization

    if not mistakes:
        return []
    drawn, paths = [], []
    for number, (mistake, row) in enumerate(zip(mistakes, rows, strict=False), start=1):
        caption = f"{number}. {mistake.kind}, {mistake.score:.2f}: {row['image']}"
        before, after = auditor.draw(dataset, mistake)
        drawn.append(visualization.compare(before, after, caption))
        name = f"{number:03d}_{mistake.kind.replace(' ', '_')}.jpg"
        paths.append(str(files.write_image(output / "pictures" / name, drawn[-1])))
    sheet = visualization.grid(drawn[:ON_SHEET], min(3, len(drawn)), 1800)
    return [str(files.write_image(output / "worst.jpg", sheet)), *paths]


def audit(
    data: Annotated[
        list[Path] | None,
        typer.Argument(metavar="DATA ..", help="Folders of data sets, of which format and parts are found."),
    ] = None,
    annotations: Annotations = None,
    images: Images = None,
    annotation_format: AnnotationFormat = "coco",
    adjusted: Adjusted = None,
    classes: Classes = None,
    part: Annotated[str, typer.Option(metavar="train|val", help="Of the folders.")] = "train",
    preset: Annotated[
        str | None,
        typer.Option(
            help="Networks to train; for boxes objects_as_points_photos, for joints hourglass_people."
        ),
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(help="A .keras or .npz file to start from, as far as its weights fit.")
    ] = None,
    folds: Annotated[int, typer.Option(min=2, help="Models; each is asked about what it did not see.")] = 4,
    minutes: Annotated[float | None, typer.Option(help="Of training, all models together (30).")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="In place of --minutes, for each model.")] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, help="Images per step (8).")] = None,
    input_size: InputSize = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Of folds, weights, order (0).")] = None,
    model: Annotated[
        str | None,
        typer.Option(help="In place of training: a model that was trained on other labels than these."),
    ] = None,
    correct_above: Annotated[
        float | None,
        typer.Option(metavar="SCORE", help="Write corrected.json with the suspicions from it on put right."),
    ] = None,
    pictures: Annotated[int, typer.Option(min=0, help="How many of the worst are drawn.")] = 24,
    output: Annotated[Path, typer.Option(help="Folder for lists, pictures and models.")] = Path("audit"),
    as_json: AsJson = False,
) -> None:
    """Find probable mistakes in your own labels: boxes missing, wrong or shifted, joints swapped."""
    config = {
        "epochs": epochs,
        "minutes": minutes,
        "batch_size": batch_size,
        "input_size": input_size,
        "seed": seed,
    }
    result = audit_labels(
        DataSets(
            data=data or (),
            annotations=annotations,
            images=images,
            annotation_format=annotation_format,
            classes=class_names(classes),
            options={"adjusted": adjusted},
        ),
        output,
        part=part,
        preset=preset,
        model=model,
        folds=folds,
        weights=weights,
        config={name: value for name, value in config.items() if value is not None},
        correct_above=correct_above,
        pictures=pictures,
        verbose=0 if as_json else 1 if sys.stdout.isatty() else 2,
        progress=progress_bar("comparing"),
    )
    show(result, as_json)
    list_problems(result.failed)
    exit_if_any(result.failed)
