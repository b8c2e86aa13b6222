"""COCO evaluation of a model on annotated images."""

from pathlib import Path
from typing import NamedTuple

from keras_cornernet import files
from keras_cornernet.commands.detection import detect_each, flipped, load_trained
from keras_cornernet.data.checking import raise_if_empty
from keras_cornernet.data.readers import read_coco
from keras_cornernet.evaluation import coco_results, evaluate_coco_files
from keras_cornernet.inference import Detector
from keras_cornernet.results import Detections
from keras_cornernet.structures import Categories, Progress, size_problem


class EvaluationResult(NamedTuple):
    """What `evaluate` measured.

    Attributes:
        metrics: of `evaluation.evaluate_coco_files`.
        found: the detections by image id.
        problems: what was wrong in the annotations and left out.
        failed: images that are missing, cannot be read or have another size than stated; not counted.
        notes: how the model's classes were matched, where that needs saying.
    """

    metrics: dict
    found: dict[int, Detections]
    problems: list[str]
    failed: list[str]
    notes: list[str]


def evaluate(
    model: str,
    annotations: str | Path,
    images: str | Path,
    *,
    json_file: str | Path | None = None,
    flip: bool | None = None,
    progress: Progress = list,
) -> EvaluationResult:
    """Measures COCO AP of a model.

    Args:
        model: a preset with weights, a `.keras` file or an exported file.
        annotations: a COCO json file.
        images: the folder of its images.
        json_file: receives the metrics.
        flip: show the mirror image too; None leaves it to the model's settings.
        progress: wraps the images to show how far it is, such as `tqdm.tqdm`.

    Raises:
        ValueError: no such model, not COCO json, no image can be used, or the classes do not match.
    """
    result = evaluate_detector(flipped(load_trained(model), flip), annotations, images, progress=progress)
    if json_file is not None:
        files.write_json(json_file, result.metrics, indent=1)
    return result


def evaluate_detector(
    detector: Detector, annotations: str | Path, images: str | Path, *, progress: Progress = list
) -> EvaluationResult:
    """`evaluate` of a detector that is loaded already; `EvaluationResult.found` keeps its images."""
    dataset = read_coco(annotations, images)
    raise_if_empty(dataset, annotations)
    failed = [str(problem) for problem in dataset.problems if problem.costs_image]
    categories, notes = match_categories(detector.categories, dataset.categories)
    found = {}
    for place, result in detect_each(detector, [s.path for s in dataset.samples], progress):
        sample = dataset.samples[place]
        if isinstance(result, OSError):
            failed.append(str(result))
        elif problem := size_problem(sample.path, sample.size, result.image.shape[:2]):
            failed.append(str(problem))
        else:
            # Without the image: thousands of them would not fit into memory.
            found[sample.image_id] = result.replace(image=None)
    if not found:
        first = f"; the first: {failed[0]}" if failed else ""
        raise ValueError(f"none of the images of {annotations} in {images} can be used{first}")
    named = {id_: result.replace(categories=categories) for id_, result in found.items()}
    metrics = evaluate_coco_files(annotations, coco_results(dataset, named), image_ids=found)
    problems = [str(problem) for problem in dataset.problems if not problem.costs_image]
    return EvaluationResult(metrics, found, problems, failed, notes)


def match_categories(model: Categories, data: Categories) -> tuple[Categories, list[str]]:
    """The model's classes under the names that the data set gives them, and notes for people.

    Classes are matched by name, whatever the case. Where no name is common: in order if the model has as
    many, all unnamed (`class_0`, ..), else by equal ids.

    Raises:
        ValueError: nothing of that fits.
    """
    spelled = {name.casefold(): name for name in data.names}
    names = tuple(spelled.get(name.casefold(), name) for name in model.names)
    notes = []
    if not set(names) & set(data.names):
        by_id = dict(zip(data.ids, data.names, strict=True))
        if model.names == tuple(f"class_{i}" for i in range(len(data.names))):
            names = data.names
        elif set(model.ids) <= set(by_id):
            names = tuple(by_id[id_] for id_ in model.ids)
        else:
            raise ValueError(
                f"the model's classes ({_some(model.names)}) are not those of the annotations "
                f"({_some(data.names)}), and their ids differ too"
            )
        pairs = [f"{a} = {b}" for a, b in zip(model.names, names, strict=True)]
        notes.append(f"no class name is common, so classes are matched by their numbers: {_some(pairs)}")
    unfound = [name for name in data.names if name not in names]
    if unfound:
        notes.append(f"the model does not know the classes {_some(unfound)}")
    return Categories(names, model.ids), notes


def _some(values) -> str:
    return ", ".join(values[:8]) + (", .." if len(values) > 8 else "")
