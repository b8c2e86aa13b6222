"""Drawn data sets."""

from pathlib import Path

from keras_cornernet import files
from keras_cornernet.data import scenes
from keras_cornernet.structures import Progress


def make_data(
    output: str | Path,
    *,
    count: int,
    seed: int,
    size: tuple[int, int] = (240, 320),
    progress: Progress = list,
) -> Path:
    """Draws scenes with people as a data set in COCO form; see `data.scenes.make_scenes`.

    Raises:
        ValueError: an argument is out of range, or the folder holds another data set.
    """
    existing = Path(output) / "annotations.json"
    if existing.exists():
        content = files.read_json(existing)
        info = content.get("info") if isinstance(content, dict) else None
        if not isinstance(info, dict) or "keras_cornernet" not in str(info.get("description")):
            raise ValueError(f"{output} holds another data set: choose another folder")
    return scenes.make_scenes(output, count, seed=seed, size=size, progress=progress)
