"""TFLite, for phones and browsers: built-in operators only, all shapes fixed."""

import logging
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from keras_cornernet import files
from keras_cornernet.checks import check_choice
from keras_cornernet.export import flatbuffer
from keras_cornernet.export.description import CONSUMERS, KEY
from keras_cornernet.export.exported import describe
from keras_cornernet.export.fixed import FixedGraph, frozen
from keras_cornernet.export.graphs import build_graph
from keras_cornernet.export.mediapipe import mediapipe_bytes, set_alike
from keras_cornernet.export.precisions import PRECISIONS, Precision, precision_named
from keras_cornernet.export.ranges import without_outliers
from keras_cornernet.export.raw import RawGraph, check_no_image_size, with_quantization
from keras_cornernet.export.written import ExportedFile, written
from keras_cornernet.preprocessing import Size, fit_view, stretch_view


def to_tflite(
    model: Any,
    path: str | Path,
    *,
    precision: str = "float32",
    image_size: Size | None = None,
    samples: Sequence[np.ndarray] = (),
    raw: bool = False,
    consumer: str = "",
    self_test: bool = True,
) -> ExportedFile:
    """Writes a TFLite file that takes one image and returns final answers, in pixels of that image.

    Its one signature takes `images` `(1, *image_size, 3)` RGB 0..255, float32 or, for `"int8"`, uint8, and
    returns the same answers as those of `to_saved_model`. The metadata of the file holds an
    `export.description` under the name `keras_cornernet`. The precision is that of the network; decoding and
    suppression stay in float32.

    Args:
        model: a `Detector`, a `PoseEstimator` or another model that `build_graph` takes.
        path: of the file.
        precision: `"float32"`; `"float16"` halves the weights; `"dynamic"` has 8-bit weights and computes
            convolutions in 8 bits; `"int8"` computes the whole network in 8 bits, in ranges that are measured
            on `samples`, for pose networks without outliers, see `export.ranges`.
        image_size: `(height, width)` of the images, which the graph fits into the network's input. None: the
            images are the input itself.
        samples: for `"int8"`: `(h, w, 3)` uint8 images of any size, like those that the file will be used on.
        consumer: `"mediapipe"` writes a detector for MediaPipe's `ObjectDetector`, see `export.mediapipe`.
        raw: give the maps of the network alone, see `export.raw`; with `"int8"` in 8 bits, too.
        self_test: run the file and keep pictures and answers in it, see `export.self_tests`.

    Raises:
        ValueError: unknown `precision`; no `samples` for `"int8"`, or an `image_size` with it or with `raw`;
            or as for `export.graphs.build_graph` and `export.raw.RawGraph`.
    """
    chosen = precision_named(precision)
    if chosen.whole_numbers and not len(samples):
        raise ValueError(
            f"samples must hold images for precision={precision!r}, whose ranges are measured on them"
        )
    check_choice("consumer", consumer, CONSUMERS)
    if raw and consumer:
        raise ValueError(f"raw maps are of no use to {consumer}: choose one of raw and consumer")
    if raw or consumer:
        form = _raw if raw else _for_mediapipe
        data = form(model, chosen, precision, image_size, samples)
        return written(files.write_with(path, lambda aside: aside.write_bytes(data)), self_test=self_test)
    fixed = FixedGraph(build_graph(model), image_size)
    if chosen.whole_numbers and not fixed.takes_network_input:
        raise ValueError(
            f"image_size must be that of the network's input, {fixed.graph.input_size}, for "
            f"precision={precision!r}, not {fixed.image_size}"
        )
    description = describe(model, fixed.image_size, precision).to_json()
    joined = _converted(fixed, chosen, samples)
    data = flatbuffer.packed(flatbuffer.with_text(joined, KEY, description))
    if foreign := flatbuffer.custom_operators(data):
        names = ", ".join(sorted(foreign))
        raise ValueError(f"the network needs operators that are not built into TFLite: {names}")
    return written(files.write_with(path, lambda aside: aside.write_bytes(data)), self_test=self_test)


def _raw(
    model: Any, precision: Precision, name: str, image_size: Size | None, samples: Sequence[np.ndarray]
) -> bytes:
    """A file whose answers are the maps, in 8 bits to the last if `precision` has whole numbers."""
    raw = RawGraph(model)
    check_no_image_size(image_size, raw.graph.input_size)
    maps = frozen(raw.maps_of, [raw.signature(1)])
    shown = [fit_view(sample.shape[:2], raw.graph.input_size).apply(sample) for sample in samples]
    if precision.whole_numbers and raw.graph.outliers_are_noise:
        maps = without_outliers(maps, shown)
    data = _convert(maps, precision, shown, answers_are_bytes=precision.whole_numbers)
    signed = flatbuffer.signed(data, ["images"], raw.names)
    settings = raw.settings
    if precision.whole_numbers:
        settings = with_quantization(settings, flatbuffer.quantization_of_outputs(signed, raw.names))
    description = describe(model, raw.graph.input_size, name, raw=settings)
    return flatbuffer.packed(flatbuffer.with_text(signed, KEY, description.to_json()))


def _for_mediapipe(
    model: Any, precision: Precision, name: str, image_size: Size | None, samples: Sequence[np.ndarray]
) -> bytes:
    size = build_graph(set_alike(model)).input_size
    check_no_image_size(image_size, size)
    shown = [stretch_view(sample.shape[:2], size).apply(sample) for sample in samples]
    return mediapipe_bytes(model, precision, name, shown, _convert)


def _converted(fixed: FixedGraph, precision: Precision, samples: Sequence[np.ndarray]) -> Any:
    """The network in its precision, joined with decoding and suppression in float32."""
    maps = frozen(fixed.maps_of, [fixed.signature])
    answers = frozen(fixed.answers_of, [tf.TensorSpec(map.shape, map.dtype) for map in maps.outputs])
    shown = [fit_view(sample.shape[:2], fixed.image_size).apply(sample) for sample in samples]
    if precision.whole_numbers and fixed.graph.outliers_are_noise:
        maps = without_outliers(maps, shown)
    parts = _convert(maps, precision, shown), _convert(answers, PRECISIONS["float32"])
    return flatbuffer.joined(*parts, ["images"], list(fixed.answers))


def _convert(
    function: Any,
    precision: Precision,
    samples: Sequence[np.ndarray] = (),
    *,
    answers_are_bytes: bool = False,
) -> bytes:
    logging.getLogger("absl").setLevel(logging.ERROR)  # it warns that there are no variables
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function])
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    if precision.optimized:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision.types:
        converter.target_spec.supported_types = [tf.as_dtype(name) for name in precision.types]
    if precision.whole_numbers:
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.representative_dataset = lambda: _calibration(samples)
        converter.inference_input_type = tf.uint8
        if answers_are_bytes:
            converter.inference_output_type = tf.int8
    with warnings.catch_warnings():
        # It warns that the range of the input is not given, and measures it on the samples.
        warnings.filterwarnings("ignore", "Statistics for quantized inputs", UserWarning)
        data: bytes = converter.convert()
    return data


def _calibration(samples: Sequence[np.ndarray]) -> Iterator[list[np.ndarray]]:
    for i, sample in enumerate(samples):
        sample = sample.astype(np.float32)
        if i == 0:  # the range of the input becomes 0..255, and a pixel is passed as the byte that it is
            sample[0, 0] = 0, 0, 255
        yield [sample[None]]
