"""A look at a data set of people before time is spent on it."""

from pathlib import Path

import numpy as np

from keras_cornernet import files, visualization
from keras_cornernet.codecs import KeypointCodec
from keras_cornernet.commands.checking import DataCheckResult, spread
from keras_cornernet.commands.detection import picture_names
from keras_cornernet.commands.reading import read_for
from keras_cornernet.data.checking import check_people, summarize_people
from keras_cornernet.data.poses import PersonLoader
from keras_cornernet.presets import PosePreset, preset_named
from keras_cornernet.structures import PoseDataset, Progress

STRIDE = 4  # input pixels for one cell of the pose networks' maps


def check_data(
    annotations: str | Path,
    images: str | Path,
    output: str | Path,
    *,
    annotation_format: str = "coco",
    split: str | None = None,
    adjusted: bool | None = None,
    pictures: int = 8,
    preset: str = "hourglass_phone",
    progress: Progress = list,
) -> DataCheckResult:
    """Counts the people and joints of a data set, finds its faults, and draws what a network would be taught.

    Args:
        annotations, images: the annotation file and the folder of its images.
        output: folder for the pictures and `report.json`.
        annotation_format: `"coco"`, `"lsp"`, `"mpii"` or `"flic"`.
        split: the part of a file of MPII or LSP that holds several; None takes "train".
        adjusted: of MPII, see `read_mpii`.
        pictures: how many people to draw, spread over the data set.
        preset: whose input size and targets are drawn.
        progress: wraps the images to show how far it is, such as `tqdm.tqdm`.

    Raises:
        ValueError: a file of another format, or no such preset.
    """
    chosen = preset_named(preset)
    pose_dataset = read_for(True, annotations, images, annotation_format, split=split, adjusted=adjusted)
    broken = check_people(pose_dataset, progress)
    problems = [str(problem) for problem in (*pose_dataset.problems, *broken)]
    counts = {**summarize_people(pose_dataset), "problems": len(problems)}
    faulty = {problem.path for problem in broken}
    sound = [person for person in pose_dataset.people if person.path not in faulty]
    drawn = _draw(pose_dataset.replace(people=spread(sound, pictures)), chosen, Path(output))
    files.write_json(Path(output) / "report.json", {"counts": counts, "problems": problems}, indent=1)
    return DataCheckResult(counts, problems, drawn)


def _draw(pose_dataset: PoseDataset, preset: PosePreset, output: Path) -> list[str]:
    """Writes a picture of each person's square with the joints, and with the drawn targets."""
    loader = PersonLoader(pose_dataset, preset.input_size)
    codec = KeypointCodec(**preset.codec)
    grid_size = tuple(side // STRIDE for side in preset.input_size)
    drawn = []
    for place, file_name in enumerate(picture_names([Path(p.path) for p in pose_dataset.people])):
        shown, points, weights = loader.load(0, place)
        image = shown.astype(np.uint8)
        posed = visualization.draw_skeletons(image, points[None], weights[None] > 0, pose_dataset.skeleton)
        annotations = {"keypoints": points[None], "keypoint_weights": weights[None]}
        heat = codec.encode(annotations, preset.input_size, grid_size)["keypoints"]["heatmap"]
        warm = visualization.draw_heatmap(image, np.asarray(heat)[0].max(-1))
        picture = visualization.grid([posed, warm], 2, 1000)
        drawn.append(str(files.write_image(output / file_name, picture)))
    return drawn
