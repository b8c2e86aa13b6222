"""`keras-cornernet make-data`: drawn scenes as a data set."""

from pathlib import Path
from typing import Annotated, Any

import typer

from keras_cornernet.cli.console import check_output_folder, parse_size, progress_bar


def draw_dataset(
    output: str | Path, *, count: int, seed: int, size: tuple[int, int] = (240, 320), progress: Any = list
) -> Path:
    """Draws scenes with people as a data set in COCO form; see `data.scenes.make_scenes`.

    Raises:
        ValueError: an argument is out of range, or the folder holds another data set.
    """
    from keras_cornernet import files
    from keras_cornernet.data import scenes

    check_output_folder(output)
    existing = Path(output) / "annotations.json"
    if existing.exists():
        content = files.read_json(existing)
        info = content.get("info") if isinstance(content, dict) else None
        if not isinstance(info, dict) or "keras_cornernet" not in str(info.get("description")):
            raise ValueError(f"{output} holds another data set: choose another folder")
    return scenes.make_scenes(output, count, seed=seed, size=size, progress=progress)


def make_data(
    output: Annotated[Path, typer.Option(help="Folder for images/ and annotations.json.")],
    count: Annotated[int, typer.Option(min=1, help="Number of scenes.")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="The same number draws the same scenes.")] = 0,
    size: Annotated[Any, typer.Option(parser=parse_size, metavar="HxW", help="Of the images.")] = "240x320",
) -> None:
    """Draw scenes with people: a COCO data set with boxes and 14 keypoints."""
    path = draw_dataset(output, count=count, seed=seed, size=size, progress=progress_bar("drawing scenes"))
    typer.echo(f"{count} scenes: {path}")
