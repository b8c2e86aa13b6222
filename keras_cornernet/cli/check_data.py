"""`keras-cornernet check-data`: a look at a data set before time is spent on it."""

from collections.abc import Sequence
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
    Data,
    Images,
    Split,
    class_names,
)


@dataclass(frozen=True)
class DataCheckResult:
    """What `check-data` found; the fields are fit for json.

    Attributes:
        output: the folder of the pictures and of `report.json`.
        counts: of images, objects and classes or joints.
        problems: one message each, which names file and place.
        pictures: files, each with the annotations first and then the targets that a network is trained with.
    """

    output: str
    counts: dict[str, Any]
    problems: list[str]
    pictures: list[str]

    def __str__(self) -> str:
        lines = []
        for name, value in self.counts.items():
            shown = ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else value
            lines.append(f"{name.replace('_', ' '):<26}{shown}")
        return "\n".join([*lines, f"\n{len(self.pictures)} pictures and report.json in {self.output}"])


def check_dataset(
    data_sets: DataSets,
    output: str | Path,
    *,
    pictures: int = 8,
    preset: str | None = None,
    progress: Any = list,
) -> DataCheckResult:
    """Counts what a data set holds, finds its problems, and draws what a network would be trained with.

    Args:
        data_sets: the images and their annotations; of folders, the parts for training.
        output: folder for the pictures and `report.json`.
        pictures: how many examples to draw, spread over the data set.
        preset: whose task, input size and targets are drawn; by default that of the first task that reads
            the format.
        progress: wraps the images and shows how far the check is, such as `tqdm.tqdm`.

    Raises:
        ValueError: the file is of another format, or there is no such preset.
    """
    from keras_cornernet import files
    from keras_cornernet.data.checking import check_images
    from keras_cornernet.tasks import task_of

    check_output_folder(output)
    task = task_of(preset) if preset else data_sets.find_task()
    dataset = data_sets.read(task, "train")
    if dataset is None:
        raise ValueError(f"data: none of {', '.join(data_sets.names)} has a part for training")
    broken = check_images(dataset, progress)
    problems = [str(problem) for problem in (*dataset.problems, *broken)]
    counts = {**task.summarize(dataset), "problems": len(problems)}
    unreadable = {problem.path for problem in broken}
    sound = [i for i, path in enumerate(dataset.paths) if path not in unreadable]
    drawn = _draw(task, dataset, evenly_spaced(sound, pictures), preset or task.default_preset, Path(output))
    files.write_json(Path(output) / "report.json", {"counts": counts, "problems": problems}, indent=1)
    return DataCheckResult(str(output), counts, problems, drawn)


def evenly_spaced(values: Sequence[Any], count: int) -> tuple[Any, ...]:
    """At most `count` of the values, evenly spaced."""
    import numpy as np

    positions = np.linspace(0, len(values) - 1, min(count, len(values))).round().astype(int)
    return tuple(values[position] for position in positions)


def _draw(task: Any, dataset: Any, indices: Sequence[int], preset: str, output: Path) -> list[str]:
    """Writes a picture of each chosen example."""
    from keras_cornernet import files
    from keras_cornernet.cli.predicting import picture_names
    from keras_cornernet.presets import preset_named

    names = picture_names([Path(dataset.paths[index]) for index in indices])
    drawn = []
    for index, name in zip(indices, names, strict=True):
        picture = task.draw_targets(dataset, index, preset_named(preset))
        drawn.append(str(files.write_image(output / name, picture)))
    return drawn


def check_data(
    data: Data = None,
    annotations: Annotations = None,
    images: Images = None,
    output: Annotated[Path, typer.Option(help="Folder for pictures and report.json.")] = Path("data_check"),
    pictures: Annotated[int, typer.Option(min=0, help="Examples to draw.")] = 8,
    preset: Annotated[
        str | None,
        typer.Option(
            help="Whose input size and targets are drawn: a detector's for boxes, a pose network's for "
            "joints. "
            "By default cornernet_small for boxes and hourglass_phone for formats of poses."
        ),
    ] = None,
    annotation_format: AnnotationFormat = "coco",
    split: Split = None,
    adjusted: Adjusted = None,
    classes: Classes = None,
    as_json: AsJson = False,
) -> None:
    """Count what a data set holds, find its problems, draw it and the targets made of it."""
    result = check_dataset(
        DataSets(
            data=data or (),
            annotations=annotations,
            images=images,
            annotation_format=annotation_format,
            classes=class_names(classes),
            options={"split": split, "adjusted": adjusted},
        ),
        output,
        pictures=pictures,
        preset=preset,
        progress=progress_bar("reading images"),
    )
    show(result, as_json)
    list_problems(result.problems, "problem")
    exit_if_any(result.problems)
