"""Export of a trained model, and its comparison with the model it came from."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_cornernet import export as exports
from keras_cornernet.commands.checking import spread
from keras_cornernet.commands.detection import flipped, load_trained
from keras_cornernet.data.readers import read_people
from keras_cornernet.data.scenes import draw_scene
from keras_cornernet.export.comparison import TOLERANCES, Agreement
from keras_cornernet.inference import Detector, PoseEstimator
from keras_cornernet.inference.reading import list_images
from keras_cornernet.preprocessing import Size, person_view, read_image

FORMATS = ("savedmodel", "tflite", "onnx", "openvino")
COMPARED = 8  # images that are compared
CALIBRATED = 200  # images on which the ranges of 8-bit numbers are measured
DRAWN = 4  # scenes that are drawn to compare on where no images are named


class ExportResult(NamedTuple):
    """What an export left; the fields are plain, fit for json.

    Attributes:
        path: of the file or of the SavedModel's version.
        bytes: on disk.
        agreement: see `export.comparison.Agreement`, as a dict.
        notes: what was left out.
        failed: why the file cannot be trusted; empty if it can.
    """

    path: str
    bytes: int
    agreement: dict
    notes: list[str]
    failed: list[str]


def export(
    model: str,
    output: str | Path,
    *,
    format: str = "savedmodel",
    name: str | None = None,
    precision: str = "float32",
    images: str | Path | None = None,
    annotations: str | Path | None = None,
    annotation_format: str = "coco",
    input_size: Size | None = None,
    image_size: Size | None = None,
    flip: bool | None = None,
    threads: int | None = None,
) -> ExportResult:
    """Exports a model, opens what was written with its runtime and compares the two on several images.

    Args:
        model: a preset with weights, or the path of a `.keras` file.
        output: the folder; a SavedModel goes into `output/name/<next version>`, the others are files in it.
        format: `"savedmodel"`, `"tflite"`, `"onnx"` or `"openvino"`.
        name: by default that of the model.
        precision: of TFLite, see `export.to_tflite`; the other formats have float32.
        images: an image or a folder of images to compare on, and for `"int8"` to measure ranges on. By
            default some scenes are drawn, but not for `"int8"`.
        annotations: of a pose network's `images`, the folder; then the people are shown, each in a square.
        annotation_format: `"coco"`, `"lsp"`, `"mpii"` or `"flic"`.
        input_size: `(height, width)` in which the network sees the images; needed where the model has none.
        image_size: see `export.to_tflite`; a SavedModel takes images of any size.
        flip: look at the mirror image too; None leaves it to the model's settings.
        threads: that the runtime may use.

    Raises:
        ValueError: no such model or format, or the arguments disagree.
        ImportError: what writes or runs the format is not installed.
        OSError: an image cannot be read.
    """
    if format not in FORMATS:
        raise ValueError(f"--format must be one of {', '.join(FORMATS)}, not {format!r}")
    if format != "tflite" and precision != "float32":
        raise ValueError(f"--precision {precision} is of tflite: {format} has float32")
    if format == "savedmodel" and image_size is not None:
        raise ValueError("--image-size is of the other formats: a SavedModel takes images of any size")
    if precision == "int8" and images is None:
        raise ValueError("--precision int8 needs --images to measure ranges on, such as the model will see")
    if annotations is not None and images is None:
        raise ValueError("--annotations needs --images, the folder that its file names count from")
    if precision not in TOLERANCES:
        raise ValueError(f"--precision must be one of {', '.join(TOLERANCES)}, not {precision!r}")
    if Path(output).is_file():
        raise ValueError(f"--output must be a folder, and {output} is a file")
    loaded = flipped(load_trained(model), flip)
    if not isinstance(loaded, (Detector, PoseEstimator)):
        raise ValueError(f"MODEL must be a preset or a .keras file, and {model} is an exported file already")
    if input_size is not None:
        loaded = loaded.with_settings(input_size=input_size)
    if annotations is not None:
        shown = _people(loaded, annotations, images, annotation_format)
    else:
        shown = _drawn(loaded) if images is None else _read(images)
    name = name or Path(model).name.removesuffix(".keras")
    if Path(name).name != name or name in ("", ".."):
        raise ValueError(f"--name must be the name of a file or folder in --output, not {name!r}")
    if format == "savedmodel":
        written = exports.to_saved_model(loaded, output, name)
    elif format == "tflite":
        path = Path(output) / f"{name}_{precision}.tflite"
        options = {"precision": precision, "image_size": image_size, "samples": shown}
        written = exports.to_tflite(loaded, path, **options)
    elif format == "onnx":
        written = exports.to_onnx(loaded, Path(output) / f"{name}.onnx", image_size=image_size)
    else:
        written = exports.to_openvino(loaded, Path(output) / f"{name}.xml", image_size=image_size)
    agreement = exports.compare(loaded, exports.load(written.path, threads=threads), spread(shown, COMPARED))
    failed = [] if agreement.sound else [_disagreement(written.path, precision, agreement)]
    return ExportResult(str(written.path), written.size, agreement._asdict(), list(written.notes), failed)


def _disagreement(path: Path, precision: str, agreement: Agreement) -> str:
    place, score, fraction = TOLERANCES[precision]
    if not agreement.compared:
        return f"{path}: the model finds nothing on these images, so that nothing was compared: name --images"
    return (
        f"{path}: only {agreement.fraction:.1%} of {agreement.compared} boxes or joints agree with Keras "
        f"within {place:.1%} of the image and {score} in score, and {fraction:.0%} should"
    )


def _read(images: str | Path) -> list[np.ndarray]:
    """Up to `CALIBRATED` images, spread over all of a folder."""
    return [read_image(path) for path in spread(list_images(images), CALIBRATED)]


def _people(model, annotations, images, annotation_format) -> list[np.ndarray]:
    """Up to `CALIBRATED` people, as the network sees them."""
    if not isinstance(model, PoseEstimator):
        raise ValueError("--annotations is of pose networks: a detector sees whole --images")
    people = spread(read_people(annotations, images, annotation_format).people, CALIBRATED)
    size = model.settings.input_size
    return [person_view(p.center, p.side, size).apply(read_image(p.path)) for p in people]


def _drawn(model: Detector | PoseEstimator) -> Sequence[np.ndarray]:
    """Scenes; for a pose network a person of each."""
    scenes = [draw_scene(seed, max_people=2) for seed in range(DRAWN)]
    if isinstance(model, Detector):
        return [scene[0] for scene in scenes]
    crops = []
    for image, boxes, *_ in scenes:
        x1, y1, x2, y2 = boxes.xyxy[0].astype(int)
        crops.append(np.ascontiguousarray(image[max(y1, 0) : y2 + 1, max(x1, 0) : x2 + 1]))
    return crops
