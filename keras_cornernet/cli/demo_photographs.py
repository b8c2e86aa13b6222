"""The photographs of `keras-cornernet demo`: people and animals found, and each posed by its own network."""

from pathlib import Path
from typing import Any

PHOTOGRAPHS = ("astronaut.jpg", "camera_man.jpg", "cat.jpg", "grace_hopper.jpg")
DETECTOR, PEOPLE, ANIMALS = "objects_as_points_photos", "hourglass_lspet_large", "hourglass_animals"
SHOWN_FROM = 0.5  # the score of boxes and joints: fewer are shown than `predict` shows, and more are right


def pose_photographs(output: Path, *, progress: Any = list) -> list[str]:
    """Finds people and animals in the photographs that come with the weights, and poses each.

    Args:
        output: folder for the annotated photographs.
        progress: wraps the photographs and shows how far the loop is, such as `tqdm.tqdm`.

    Returns:
        The file of a sheet of all, and the files of the photographs.

    Raises:
        ModuleNotFoundError: the weights are not installed.
    """
    import numpy as np

    from keras_cornernet import files, visualization
    from keras_cornernet.preprocessing import read_image
    from keras_cornernet.presets import from_preset, weights_path

    models: list[Any] = [from_preset(name) for name in (DETECTOR, PEOPLE, ANIMALS)]
    detector, *readers = models
    pictures = {}
    for name in progress(PHOTOGRAPHS):
        image = read_image(weights_path(f"photographs/{name}"))
        (found,) = detector.predict(image)
        found = found.shown(SHOWN_FROM).non_empty()
        picture = found.plot()
        for reader in readers:
            boxes = found.boxes[[kind in reader.settings.labels for kind in found.names]]
            (poses,) = reader.predict(image, [boxes], flip=True)
            picture = poses.replace(image=np.asarray(picture)).plot(min_keypoint_score=SHOWN_FROM)
        pictures[output / name] = picture
    paths = [str(files.write_image(path, picture)) for path, picture in pictures.items()]
    sheet = visualization.grid(list(pictures.values()), len(pictures), 1800)
    return [str(files.write_image(output / "sheet.jpg", sheet)), *paths]
