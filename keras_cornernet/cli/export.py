"""`keras-cornernet export`: a trained model for deployment, compared with the model it came from."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from keras_cornernet.cli.check_data import evenly_spaced
from keras_cornernet.cli.console import check_output_folder, exit_if_any, list_problems, parse_size, show
from keras_cornernet.cli.options import AsJson, Flip, InputSize, Model
from keras_cornernet.export.precisions import PRECISIONS, precision_named

FILES = {
    "savedmodel": "{name}",
    "tflite": "{name}_{precision}.tflite",
    "onnx": "{name}.onnx",
    "openvino": "{name}.xml",
}
COMPARED = 8  # images that are compared
CALIBRATED = 200  # images on which the ranges of 8-bit numbers are measured
DRAWN = 4  # scenes that are drawn to compare on where no images are named


@dataclass(frozen=True)
class ExportResult:
    """What an export left; the fields are fit for json.

    Attributes:
        path: of the file or of the SavedModel's version.
        bytes: on disk.
        agreement: see `export.comparison.Agreement`, as a dict; for a consumer also `AP` and `AP_of_model`,
            where annotations are given.
        notes: what was left out.
        failed: why the file cannot be trusted; empty if it can.
    """

    path: str
    bytes: int
    agreement: dict[str, Any]
    notes: list[str]
    failed: list[str]

    def __str__(self) -> str:
        found = self.agreement
        return (
            f"{self.path}: {self.bytes / 1e6:.2f} MB, {found['milliseconds']:.1f} ms an image\n"
            f"against Keras: {found['fraction']:.1%} of {found['compared']} boxes or joints agree; farthest "
            f"apart {found['largest_distance']:.2%} of the image, in score {found['largest_score']:.4f}"
        )


@dataclass(frozen=True)
class ExportConfig:
    """How a model is exported.

    Attributes:
        format: a key of `FILES`.
        name: of the file or folder; None takes the model's.
        precision: of TFLite, see `export.to_tflite`; the other formats have float32.
        input_size: `(height, width)` of the network's input; needed where the model has none.
        image_size: see `export.to_tflite`; a SavedModel takes images of any size.
        flip: average with the mirror image; None follows the model's settings.
        threads: that the runtime may use in the comparison.
        consumer: of a TFLite detector: `"mediapipe"`, see `export.mediapipe`; empty for none.
        raw: give the maps of the network alone, without the mirror image, see `export.raw`.

    Raises:
        ValueError: an unknown format or precision, or two fields disagree.
    """

    format: str = "savedmodel"
    name: str | None = None
    precision: str = "float32"
    input_size: tuple[int, int] | None = None
    image_size: tuple[int, int] | None = None
    flip: bool | None = None
    threads: int | None = None
    raw: bool = False
    consumer: str = ""

    def __post_init__(self) -> None:
        from keras_cornernet.checks import check_choice
        from keras_cornernet.export.description import CONSUMERS

        if self.format not in FILES:
            raise ValueError(f"--format must be one of {', '.join(FILES)}, not {self.format!r}")
        precision_named(self.precision)
        if self.format != "tflite" and self.precision != "float32":
            raise ValueError(f"--precision {self.precision} is of tflite: {self.format} has float32")
        if self.format == "savedmodel" and self.image_size is not None:
            raise ValueError("--image-size is of the other formats: a SavedModel takes images of any size")
        check_choice("--for", self.consumer, CONSUMERS)
        if self.consumer and (self.format != "tflite" or self.raw):
            raise ValueError(f"--for {self.consumer} is of --format tflite, without --raw")
        if self.consumer and self.flip:
            raise ValueError(f"--flip cannot be had --for {self.consumer}: it has no mirror image")
        if self.raw and self.flip:
            raise ValueError("--flip has no effect on --raw: raw maps are those of one image")
        if self.name is not None and (Path(self.name).name != self.name or self.name in ("", "..")):
            raise ValueError(f"--name must be the name of a file or folder in --output, not {self.name!r}")

    def path(self, output: str | Path, model: str) -> Path:
        """Where the export is written."""
        name = self.name or Path(model).name.removesuffix(".keras")
        if self.name is None:
            name += ("_raw" if self.raw else "") + (f"_{self.consumer}" if self.consumer else "")
        return Path(output) / FILES[self.format].format(name=name, precision=self.precision)

    def options(self, shown: Sequence[Any]) -> Mapping[str, Any]:
        """Further arguments of the format's writer."""
        if self.format == "savedmodel":
            return {"raw": self.raw}
        options: dict[str, Any] = {"image_size": self.image_size, "raw": self.raw}
        if self.format != "tflite":
            return options
        return {**options, "precision": self.precision, "samples": shown, "consumer": self.consumer}


def export_files(
    model: str,
    output: str | Path,
    config: ExportConfig | None = None,
    *,
    images: str | Path | None = None,
    annotations: str | Path | None = None,
    annotation_format: str = "coco",
) -> ExportResult:
    """Exports a model, opens what was written with its runtime and compares the two on several images.

    Args:
        model: a preset with weights, or the path of a `.keras` file.
        output: the folder; a SavedModel goes into `output/name/<next version>`, the others are files in it.
        config: how; None: a SavedModel.
        images: an image or a folder of images to compare on, and for `"int8"` to measure ranges on. By
            default some scenes are drawn, but not for `"int8"`.
        annotations: of the `images`. People are shown to a pose network each in a square; for a detector the
            scores from which on boxes are shown are fitted again, to what was written.
        annotation_format: of the annotations.

    Raises:
        ValueError: there is no such model, or the arguments disagree.
        ImportError: what writes or runs the format is not installed.
        OSError: an image cannot be read.
    """
    config = config or ExportConfig()
    if precision_named(config.precision).whole_numbers and images is None:
        raise ValueError(
            f"--precision {config.precision} needs --images to measure ranges on, such as the model will see"
        )
    if annotations is not None and images is None:
        raise ValueError("--annotations needs --images, the folder that its file names are relative to")
    check_output_folder(output)

    from keras_cornernet import export as exports
    from keras_cornernet.export.mediapipe import set_alike
    from keras_cornernet.inference.model import Model as KerasModel
    from keras_cornernet.tasks import load_model

    loaded = load_model(model)
    if not isinstance(loaded, KerasModel):
        raise ValueError(f"MODEL must be a preset or a .keras file, and {model} is an exported file already")
    changes = {"input_size": config.input_size, "flip": False if config.raw else config.flip}
    loaded = loaded.with_settings(**{key: value for key, value in changes.items() if value is not None})
    full, loaded = loaded, set_alike(loaded) if config.consumer else loaded
    dataset = None if annotations is None else _dataset(loaded, images, annotations, annotation_format)
    shown = _images(loaded, images, dataset)
    written = full.export(config.path(output, model), config.format, **config.options(shown))
    opened = exports.load(written.path, threads=config.threads)
    agreement = exports.compare(loaded, opened, evenly_spaced(shown, COMPARED))
    failed = [] if agreement.sound else [agreement.disagreement(written.path, config.precision)]
    loss, notes = asdict(agreement), list(written.notes)
    if dataset is not None and hasattr(opened, "categories"):
        measured = opened.evaluate(dataset)
        notes += _fit_scores(written.path, opened, dataset, measured)
        if config.consumer:
            loss["AP"] = float(measured.headline["AP"])
            loss["AP_of_model"] = float(full.evaluate(dataset).headline["AP"])
            notes.append(_lost(loss, config.consumer))
    exports.change_description(written.path, loss=loss)
    if precision_named(config.precision).whole_numbers and dataset is None and opened.description.scores:
        notes.append("the scores to show boxes from are those of the model in Keras: --annotations fits them")
    return ExportResult(str(written.path), written.size, loss, notes, failed)


def _lost(loss: Mapping[str, float], consumer: str) -> str:
    """What a form of a file costs, for people."""
    return (
        f"AP {loss['AP']:.3f} as {consumer} answers, of {loss['AP_of_model']:.3f} with the model's own "
        f"settings: {loss['AP_of_model'] - loss['AP']:.3f} lost"
    )


def _dataset(model: Any, images: Any, annotations: str | Path, annotation_format: str) -> Any:
    from keras_cornernet.data.readers import read_annotations
    from keras_cornernet.tasks import task_of

    return read_annotations(task_of(model).readers, annotations, images, annotation_format, part="train")


def _fit_scores(path: Path, opened: Any, dataset: Any, measured: Any) -> list[str]:
    """Keeps in what was written the scores that suit it best; what was done, for people."""
    from keras_cornernet.experiment import keep_min_scores
    from keras_cornernet.tasks import task_of

    point = task_of(opened).operating_point(opened, dataset, measured)
    assert point is not None
    keep_min_scores(path, point.min_scores)
    scores = (
        f"{score:.2f} {name}" for score, name in zip(point.min_scores, opened.categories.names, strict=True)
    )
    return [f"boxes are shown from these scores, fitted to {len(dataset)} images: {', '.join(scores)}"]


def _images(model: Any, images: str | Path | None, dataset: Any) -> Sequence[Any]:
    """What the two are compared on: annotated examples, named images, or drawn ones."""
    from keras_cornernet.inference.reading import list_images
    from keras_cornernet.preprocessing import read_image
    from keras_cornernet.tasks import task_of

    task = task_of(model)
    if dataset is not None:
        return task.annotated_images(model, dataset.select(evenly_spaced(range(len(dataset)), CALIBRATED)))
    if images is not None:
        return [read_image(path) for path in evenly_spaced(list_images(images), CALIBRATED)]
    return task.export_images(model, DRAWN)


def export(
    model: Model,
    output: Annotated[Path, typer.Option(help="Folder for what is written.")],
    format: Annotated[
        str, typer.Option(metavar="savedmodel|tflite|onnx|openvino", help="Of what is written.")
    ] = "savedmodel",
    name: Annotated[str | None, typer.Option(help="By default the model's.")] = None,
    precision: Annotated[
        str, typer.Option(metavar="|".join(PRECISIONS), help="Of a tflite network.")
    ] = "float32",
    images: Annotated[
        Path | None,
        typer.Option(help="Images to compare on, and for int8 to measure ranges on; else scenes are drawn."),
    ] = None,
    annotations: Annotated[
        Path | None,
        typer.Option(
            help="Of --images: show people each in a square; fit the scores from which on boxes are shown."
        ),
    ] = None,
    annotation_format: Annotated[
        str, typer.Option(metavar="coco|lsp|mpii|flic", help="Of the annotations.")
    ] = "coco",
    input_size: InputSize = None,
    image_size: Annotated[
        Any,
        typer.Option(
            parser=parse_size, metavar="HxW", help="Of the images that tflite, onnx, openvino take."
        ),
    ] = None,
    flip: Flip = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="The network's maps alone, for runtimes that cannot decode them.")
    ] = False,
    consumer: Annotated[
        str, typer.Option("--for", metavar="mediapipe", help="A tflite detector that MediaPipe opens.")
    ] = "",
    threads: Annotated[int | None, typer.Option(min=1, help="Of the runtime, for the comparison.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write a model for TF Serving, phones, browsers or servers, and compare it with Keras."""
    config = ExportConfig(format, name, precision, input_size, image_size, flip, threads, raw, consumer)
    result = export_files(
        model, output, config, images=images, annotations=annotations, annotation_format=annotation_format
    )
    show(result, as_json)
    list_problems(result.notes, "note")
    list_problems(result.failed)
    exit_if_any(result.failed)
