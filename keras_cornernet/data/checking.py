"""Checks and counts of a data set, before time is spent on training with it."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image, ImageOps

from keras_cornernet.structures import DataSet, Progress, Sample

MANY_OBJECTS = 128  # the object slots per image of the released CornerNet code
QUANTILES = {"min": 0, "q05": 0.05, "median": 0.5, "q95": 0.95, "max": 1}


def check_images(data_set: DataSet, progress: Progress = list) -> list[str]:
    """Decodes every image and compares its size with the stated one.

    Args:
        data_set: what a reader returned.
        progress: wraps the samples to show how far the check is.

    Returns:
        One sentence for each faulty image, which names its file.
    """
    samples = data_set.samples
    with ThreadPoolExecutor() as threads:  # Pillow decodes outside Python's lock
        found = threads.map(_image_fault, samples)
        return [fault for _, fault in zip(progress(samples), found, strict=True) if fault]


def _image_fault(sample: Sample) -> str | None:
    try:
        with Image.open(sample.path) as image:
            image.load()
            stored = image.size[::-1]
            size = ImageOps.exif_transpose(image).size[::-1]
    except FileNotFoundError:
        return f"{sample.path}: there is no such file"
    except Exception as error:  # broken files raise nearly anything in Pillow's decoders
        return f"{sample.path}: not a readable image: {error}"
    if sample.size is None or size == tuple(sample.size):
        return None
    turned = " after its EXIF rotation" if size != stored else ""
    return (
        f"{sample.path}: the image has width {size[1]} and height {size[0]}{turned}, "
        f"its annotations state width {sample.size[1]} and height {sample.size[0]}"
    )


def summarize(data_set: DataSet) -> dict:
    """Counts what a data set holds; the values are plain, fit for json.

    Args:
        data_set: what a reader returned.

    Returns:
        `images`, `images_without_boxes`, `images_over_128_objects`, `boxes` (all), `ignored` (crowd and
        difficult boxes, part of `boxes`), `boxes_per_class` (by name, without the ignored),
        `boxes_per_image` (`median`, `max`), `box_width`, `box_height` (pixels) and `box_size` (square
        root of the area), each as quantiles or None without boxes, and `faults` (how many).
    """
    boxes = [sample.boxes for sample in data_set.samples]
    counts = np.array([len(b.labels) for b in boxes], int)
    xyxy = np.concatenate([b.xyxy for b in boxes] or [np.zeros((0, 4))]).astype(np.float64)
    labels = np.concatenate([b.labels for b in boxes] or [np.zeros(0, int)])
    ignore = np.concatenate([b.ignore for b in boxes] or [np.zeros(0, bool)])
    width, height = xyxy[:, 2] - xyxy[:, 0], xyxy[:, 3] - xyxy[:, 1]
    names = data_set.categories.names
    per_class = np.bincount(labels[~ignore], minlength=len(names))
    return {
        "images": len(boxes),
        "images_without_boxes": int((counts == 0).sum()),
        "images_over_128_objects": int((counts > MANY_OBJECTS).sum()),
        "boxes": int(counts.sum()),
        "ignored": int(ignore.sum()),
        "boxes_per_class": {name: int(n) for name, n in zip(names, per_class, strict=True)},
        "boxes_per_image": {
            "median": float(np.median(counts)) if len(counts) else 0.0,
            "max": int(counts.max(initial=0)),
        },
        "box_width": _quantiles(width),
        "box_height": _quantiles(height),
        "box_size": _quantiles(np.sqrt(width * height)),
        "faults": len(data_set.faults),
    }


def _quantiles(values: np.ndarray) -> dict[str, float] | None:
    if not len(values):
        return None
    found = np.quantile(values, list(QUANTILES.values()))
    return {name: round(float(v), 2) for name, v in zip(QUANTILES, found, strict=True)}
