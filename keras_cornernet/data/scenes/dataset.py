"""Writes drawn scenes as a data set in COCO's format."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from keras_cornernet import files
from keras_cornernet.data.scenes.scene import Scene, check_arguments, compose
from keras_cornernet.preprocessing import Size
from keras_cornernet.skeletons import LSP
from keras_cornernet.structures import Progress


def make_scenes(
    folder: str | Path,
    count: int,
    *,
    seed: int,
    size: Size = (240, 320),
    max_people: int = 3,
    heights: tuple[float, float] = (0.35, 0.9),
    suffix: str = ".jpg",
    progress: Progress = list,
) -> Path:
    """Writes drawn scenes as a data set in COCO's format.

    Scene `i` depends on `seed` and `i` only, so a longer data set begins with the scenes of a shorter one.

    Args:
        folder: `images/000000.jpg`, ... and `annotations.json`, which is written last, are written to it.
        count: number of scenes.
        seed: the same number gives the same scenes.
        size: `(height, width)` of the images in pixels.
        max_people: the largest number of people in a scene.
        heights: smallest and largest standing height of a person, as fractions of the image height.
        suffix: `".jpg"` or `".png"`.
        progress: wraps the indices of the scenes and shows the progress, such as `tqdm.tqdm`.

    Returns:
        The path of `annotations.json`: boxes and 14 keypoints of the category `person`, id 1.

    Raises:
        ValueError: an argument is out of range.
    """
    check_arguments(size, max_people, heights)
    if count < 1:
        raise ValueError(f"count must be at least 1, got {count}")
    if seed < 0:
        raise ValueError(f"seed must be at least 0, got {seed}")
    if suffix not in (".jpg", ".png"):
        raise ValueError(f"suffix must be '.jpg' or '.png', got {suffix!r}")
    folder = Path(folder)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for index in progress(range(count)):
        scene = compose(np.random.default_rng([seed, index]), size, max_people, heights)
        name = f"{index:06d}{suffix}"
        files.write_image(folder / "images" / name, Image.fromarray(scene.image), quality=92)
        images.append({"id": index + 1, "file_name": name, "height": size[0], "width": size[1]})
        for person in range(len(scene.silhouettes)):
            annotations.append(_coco_person(scene, person, index + 1, len(annotations) + 1))
    category = {
        "id": 1,
        "name": "person",
        "supercategory": "person",
        "keypoints": list(LSP.joints),
        "skeleton": [[a + 1, b + 1] for a, b in LSP.limbs],
    }
    info = {"description": f"scenes drawn by keras_cornernet.data.scenes, seed {seed}"}
    content = {"info": info, "images": images, "annotations": annotations, "categories": [category]}
    return files.write_json(folder / "annotations.json", content)


def _coco_person(scene: Scene, person: int, image_id: int, annotation_id: int) -> dict[str, Any]:
    x1, y1, x2, y2 = scene.boxes.xyxy[person].tolist()
    visibility = scene.keypoints.visibility[person]
    keypoints = []
    for (x, y), v in zip(scene.keypoints.xy[person].tolist(), visibility.tolist(), strict=True):
        keypoints += [round(x, 2), round(y, 2), v] if v else [0, 0, 0]
    return {
        "id": annotation_id,
        "image_id": image_id,
        "category_id": 1,
        "bbox": [x1, y1, x2 - x1, y2 - y1],
        "area": int(scene.silhouettes[person].sum()),
        "iscrowd": 0,
        "keypoints": keypoints,
        "num_keypoints": int((visibility > 0).sum()),
    }
