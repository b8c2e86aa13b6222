"""Data sets written to a folder, with their images."""

import os
import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from keras_cornernet import files
from keras_cornernet.checks import check_choice
from keras_cornernet.data.writers.coco import coco_files_of_boxes, coco_files_of_people
from keras_cornernet.data.writers.layout import WrittenSet
from keras_cornernet.data.writers.voc import voc_of_boxes
from keras_cornernet.data.writers.yolo import yolo_of_boxes, yolo_of_people

Writer = Callable[[Mapping[str, Any], Mapping[str, str]], WrittenSet]
WRITERS: dict[str, Mapping[str, Writer]] = {
    "detection": {"coco": coco_files_of_boxes, "yolo": yolo_of_boxes, "voc": voc_of_boxes},
    "pose": {"coco": coco_files_of_people, "yolo": yolo_of_people},
}
"""For each task and format what writes it."""


def write_dataset(
    writers: Mapping[str, Writer], parts: Mapping[str, Any], output: str | Path, format: str
) -> Path:
    """Writes the parts of a data set to a new folder, with their images.

    Images are hard links where the disk allows it, else copies. Nothing is left if it fails.

    Args:
        writers: of a task by format, such as `WRITERS["detection"]`.
        parts: data sets by part, with the same classes or joints.
        output: the folder, which must not exist or be empty.
        format: a key of `writers`.

    Raises:
        ValueError: the format is not known, or the folder is not empty.
    """
    check_choice("format", format, writers)
    target = Path(output)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ValueError(f"output: {target} is there already and is not empty")
    names = image_names([path for dataset in parts.values() for path in dataset.paths])
    written = writers[format](parts, names)
    with files.write_aside(target) as aside:
        aside.mkdir()
        for name, text in written.texts.items():
            place = aside / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
        for part, dataset in parts.items():
            folder = aside / written.image_folders[part]
            folder.mkdir(parents=True, exist_ok=True)
            for path in dict.fromkeys(dataset.paths):
                _link(path, folder / names[path])
        if target.exists():
            target.rmdir()
    return target


def image_names(paths: list[str]) -> dict[str, str]:
    """A name for each image file: its own, or with its folders where another image has the same.

    Names differ in their stems too, since files of labels have them.
    """
    unique = list(dict.fromkeys(paths))
    if not unique:
        return {}
    root = files.common_folder(unique)
    stems = Counter(Path(path).stem for path in unique)
    names = {}
    taken: set[str] = set()
    for path in unique:
        own = Path(path)
        name = own.name if stems[own.stem] == 1 else files.relative_to(root, path).replace("/", "_")
        stem, number = Path(name).stem, 2
        while name.rpartition(".")[0] in taken:
            name, number = f"{stem}_{number}{own.suffix}", number + 1
        taken.add(name.rpartition(".")[0])
        names[path] = name
    return names


def _link(source: str, target: Path) -> None:
    try:
        os.link(os.path.realpath(source), target)
    except OSError:  # another disk, or one without links
        shutil.copyfile(source, target)
