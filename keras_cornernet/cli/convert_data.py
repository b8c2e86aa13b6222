"""`keras-cornernet convert-data`: a data set in another form."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from keras_cornernet.cli.console import exit_if_any, list_problems, show
from keras_cornernet.cli.data_sets import DataSets
from keras_cornernet.cli.options import AsJson, Classes, class_names

PARTS = ("train", "val")


@dataclass(frozen=True)
class ConversionResult:
    """What `convert-data` wrote; the fields are fit for json.

    Attributes:
        output: the folder.
        format: of the annotations.
        counts: the number of annotations by part.
        noun: what an annotation is called, in the singular.
        problems: what was left out, one message each.
    """

    output: str
    format: str
    counts: dict[str, int]
    noun: str
    problems: list[str]

    def __str__(self) -> str:
        counts = ", ".join(f"{part} {count}" for part, count in self.counts.items())
        return f"{self.output}: {self.format}, number of annotations ({self.noun}): {counts}"


def convert_dataset(
    data_sets: DataSets, to: str, output: str | Path, *, task: str | None = None
) -> ConversionResult:
    """Writes data sets in another form, with their images.

    Args:
        data_sets: what is written; several become one.
        to: the format, of those that the task writes.
        output: a new folder.
        task: `"detection"` or `"pose"`; None: the first that reads the data.

    Raises:
        ValueError: nothing is annotated, the format is not one that can be written, or the folder is there
            already.
    """
    from keras_cornernet.checks import check_choice
    from keras_cornernet.data.writers import write_dataset
    from keras_cornernet.tasks import TASKS

    if task is not None:
        check_choice("task", task, TASKS)
    chosen = data_sets.find_task() if task is None else TASKS[task]
    found = {part: data_sets.read(chosen, part) for part in PARTS}
    parts: dict[str, Any] = {part: dataset for part, dataset in found.items() if dataset is not None}
    if {"train", "val"} <= set(parts):
        parts["val"] = chosen.with_names_of(parts["val"], parts["train"])
    written = write_dataset(chosen.writers, parts, output, to)
    problems = [str(problem) for dataset in parts.values() for problem in dataset.problems]
    counts = {part: dataset.annotation_count for part, dataset in parts.items()}
    noun = next(iter(parts.values())).annotation_noun
    return ConversionResult(str(written), to, counts, noun, list(dict.fromkeys(problems)))


def convert_data(
    data: Annotated[
        list[Path], typer.Argument(metavar="DATA ..", help="Folders, zips or files of data sets.")
    ],
    to: Annotated[str, typer.Option(metavar="coco|yolo|voc", help="The format to write.")],
    output: Annotated[Path, typer.Option(help="The new folder.")] = Path("converted"),
    task: Annotated[
        str | None, typer.Option(metavar="detection|pose", help="Where the data have boxes and joints.")
    ] = None,
    classes: Classes = None,
    as_json: AsJson = False,
) -> None:
    """Write a data set in another form, with its images."""
    result = convert_dataset(DataSets(data=data, classes=class_names(classes)), to, output, task=task)
    show(result, as_json)
    list_problems(result.problems, "left out")
    exit_if_any(result.problems)
