"""`keras-cornernet demo`: people and animals in photographs; people in drawn scenes, beside the truth."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from keras_cornernet.cli.console import check_output_folder, progress_bar, show
from keras_cornernet.cli.demo_photographs import pose_photographs

SEED = 20180803  # no scene of it was seen in training
MIN_OVERLAP = 0.5  # intersection over union from which a found box counts as that person


@dataclass(frozen=True)
class DemoResult:
    """What `demo` wrote; the fields are fit for json.

    Attributes:
        metrics: AP and the other numbers of the evaluation, and of poses `PCK@0.2`, `per_joint`, the number
            of `people`, and how many of them were `matched` by a box.
        table: the numbers of the detection as text.
        pictures: the annotated pictures.
        sheet: all of them on one.
        predictions: file of the boxes in COCO result form.
        poses: file of the keypoints in COCO result form, or None without a pose network.
        annotations: file of the drawn truth; its images lie beside it.
        photographs: the annotated photographs, and the sheet of all of them first; empty without them.
    """

    metrics: dict[str, Any]
    table: str
    pictures: list[str]
    sheet: str
    predictions: str
    poses: str | None
    annotations: str
    photographs: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [self.table]
        if self.poses:
            people = f"{self.metrics['people']} people, {self.metrics['matched']} of them found"
            lines.append(f"\nposes: PCK@0.2 {self.metrics['PCK@0.2']:.3f} over {people}")
        lines.append(f"\n{len(self.pictures)} annotated pictures   {Path(self.pictures[0]).parent}")
        lines.append(f"all on one sheet        {self.sheet}")
        lines.append(f"boxes found             {self.predictions}")
        if self.poses:
            lines.append(f"keypoints found         {self.poses}")
        lines.append(f"drawn truth             {self.annotations}")
        if self.photographs:
            lines.append(f"\n{len(self.photographs) - 1} photographs           {self.photographs[0]}")
        return "\n".join(lines)


def run_demo(
    output: str | Path,
    *,
    count: int = 24,
    seed: int = SEED,
    model: str = "cornernet_people",
    pose_model: str | None = "hourglass_people",
    photographs: bool = False,
    progress: Any = list,
) -> DemoResult:
    """Draws new scenes, finds the people and poses each; measures AP and PCK against the drawn truth.

    Args:
        output: folder for `scenes/`, `pictures/`, `sheet.jpg`, `predictions.json`, `metrics.json` and, with
            a pose network, `poses.json`.
        count: number of scenes.
        seed: of the scenes.
        model: a detector with trained weights, or the path of its `.keras` file.
        pose_model: likewise a pose network of LSP's joints; None leaves the people unposed.
        photographs: first find and pose people and animals in four photographs, by the models for those.
        progress: wraps the images and shows how far the loop is, such as `tqdm.tqdm`.

    Raises:
        ValueError: a model is of the other task.
    """
    check_output_folder(output)

    import numpy as np

    from keras_cornernet import files, visualization
    from keras_cornernet.data.readers import read_coco, read_coco_people
    from keras_cornernet.data.scenes import make_scenes
    from keras_cornernet.preprocessing import read_image

    output = Path(output)
    shown = pose_photographs(output / "photographs", progress=progress) if photographs else []
    detector = _load(model, "detection", "--model must be a detector")
    estimator = None if pose_model is None else _load(pose_model, "pose", "--pose must be a pose network")
    annotations = make_scenes(output / "scenes", count, seed=seed)
    images = annotations.parent / "images"
    result = detector.evaluate(read_coco(annotations, images), progress=progress)
    metrics, pictures, predictions, posed = dict(result.metrics), {}, [], {}
    for image_id, found in result.predictions.items():
        image, path = read_image(found.path), output / "pictures" / Path(found.path).name
        pictures[path] = found.replace(image=image).plot()
        if estimator is not None:
            posed[image_id] = _pose(estimator, image, found)
            pictures[path] = posed[image_id].replace(image=np.asarray(pictures[path])).plot()
        files.write_image(path, pictures[path])
        predictions += found.to_coco(image_id)
    poses = None
    if estimator is not None:
        metrics |= _measure_poses(read_coco_people(annotations, images), posed)
        keypoints = [entry for image_id, found in posed.items() for entry in found.to_coco(image_id)]
        poses = str(files.write_json(output / "poses.json", keypoints))
    files.write_json(output / "metrics.json", metrics, indent=1)
    sheet = visualization.grid(list(pictures.values()), min(6, len(pictures)), 1800)
    return DemoResult(
        metrics=metrics,
        table=result.table,
        pictures=[str(path) for path in pictures],
        sheet=str(files.write_image(output / "sheet.jpg", sheet)),
        predictions=str(files.write_json(output / "predictions.json", predictions)),
        poses=poses,
        annotations=str(annotations),
        photographs=shown,
    )


def _load(model: str, task: str, expected: str) -> Any:
    from keras_cornernet.tasks import load_model, task_of

    loaded = load_model(model)
    if task_of(loaded).name != task:
        raise ValueError(f"{expected}, and {model} is a model for {task_of(loaded).name}")
    return loaded


def _pose(estimator: Any, image: Any, found: Any) -> Any:
    """The people in the boxes that score high enough for the estimator."""
    sure = found.shown(estimator.settings.min_score).non_empty()
    (poses,) = estimator.predict(image, [sure.boxes], flip=None)
    return poses.replace(box_scores=sure.scores)


def _measure_poses(dataset: Any, posed: Mapping[int, Any]) -> dict[str, Any]:
    """PCK over everyone who was drawn; all keypoints of a person without a matching box count as wrong."""
    import numpy as np

    from keras_cornernet.evaluation import evaluate_poses
    from keras_cornernet.ops.boxes import intersection_over_union

    keypoints = np.full((len(dataset.people), len(dataset.skeleton.joints), 2), np.nan)
    free = {image_id: np.ones(len(poses.keypoints), bool) for image_id, poses in posed.items()}
    matched = 0
    for index, person in enumerate(dataset.people):
        poses, unclaimed = posed[person.image_id], free[person.image_id]
        overlap = np.asarray(intersection_over_union(poses.boxes, person.box[None])) * unclaimed
        if len(overlap) and overlap.max() >= MIN_OVERLAP:
            best = int(overlap.argmax())
            unclaimed[best] = False
            keypoints[index] = poses.keypoints[best]
            matched += 1
    metrics = evaluate_poses(dataset, keypoints)
    names = ("PCK@0.2", "per_joint")
    return {**{name: metrics[name] for name in names}, "people": len(dataset.people), "matched": matched}


def demo(
    output: Annotated[Path, typer.Option(help="Folder for scenes, pictures and json.")] = Path("demo_output"),
    count: Annotated[int, typer.Option(min=1, help="Number of scenes.")] = 24,
    seed: Annotated[int, typer.Option(min=0, help="Another number draws other scenes.")] = SEED,
    pose: Annotated[
        str, typer.Option(metavar="MODEL", help="A pose network trained on drawn scenes.")
    ] = "hourglass_people",
    drawn_only: Annotated[bool, typer.Option("--drawn-only", help="Leave out the photographs.")] = False,
    no_pose: Annotated[bool, typer.Option("--no-pose", help="Find the people only.")] = False,
) -> None:
    """Find and pose people and animals in photographs, and people in drawn scenes, measured there."""
    show(
        run_demo(
            output,
            count=count,
            seed=seed,
            pose_model=None if no_pose else pose,
            photographs=not drawn_only,
            progress=progress_bar("finding people"),
        )
    )
