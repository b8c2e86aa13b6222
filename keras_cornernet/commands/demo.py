"""The demonstration: scenes are drawn, people found on them, and the boxes held against the truth."""

from pathlib import Path
from typing import NamedTuple

from keras_cornernet import files, visualization
from keras_cornernet.commands.detection import DRAWN, load_trained
from keras_cornernet.commands.evaluation import evaluate_detector
from keras_cornernet.data.scenes import make_scenes
from keras_cornernet.preprocessing import read_image
from keras_cornernet.structures import Progress

SEED = 20180803  # no scene of it was seen in training


class Demonstrated(NamedTuple):
    """What `demo` wrote; the fields are plain, fit for json.

    Attributes:
        metrics: AP and the other numbers of `evaluation.evaluate_coco_files`.
        pictures: the annotated pictures.
        sheet: all of them on one.
        predictions: the boxes in COCO result form.
        annotations: the drawn truth; its images lie beside it.
    """

    metrics: dict
    pictures: list[str]
    sheet: str
    predictions: str
    annotations: str


def demo(
    output: str | Path,
    *,
    count: int = 24,
    seed: int = SEED,
    model: str = "cornernet_people",
    progress: Progress = list,
) -> Demonstrated:
    """Draws fresh scenes, finds the people, measures AP against the drawn truth.

    Args:
        output: folder for `scenes/`, `pictures/`, `sheet.jpg`, `predictions.json` and `metrics.json`.
        count: number of scenes.
        seed: of the scenes.
        model: a preset with weights, or the path of a `.keras` file.
        progress: wraps the images to show how far it is, such as `tqdm.tqdm`.
    """
    output = Path(output)
    detector = load_trained(model)
    annotations = make_scenes(output / "scenes", count, seed=seed)
    result = evaluate_detector(detector, annotations, annotations.parent / "images", progress=progress)
    pictures, predictions = {}, []
    for image_id, found in result.found.items():
        path = output / "pictures" / Path(found.path).name
        pictures[path] = found._replace(image=read_image(found.path)).plot(DRAWN)
        files.write_image(path, pictures[path])
        predictions += found.to_coco(image_id)
    files.write_json(output / "metrics.json", result.metrics, indent=1)
    sheet = visualization.grid(list(pictures.values()), min(6, len(pictures)), 1800)
    return Demonstrated(
        metrics=result.metrics,
        pictures=[str(path) for path in pictures],
        sheet=str(files.write_image(output / "sheet.jpg", sheet)),
        predictions=str(files.write_json(output / "predictions.json", predictions)),
        annotations=str(annotations),
    )
