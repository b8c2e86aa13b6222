"""Trained models as files for deployment: an image in, final answers out.

BatchNorm is folded, and preprocessing, network, decoding and the way back to image pixels are one graph, so
that an exported file answers as `Detector.predict` and `PoseEstimator.predict` do. `load` opens such files.
"""

from keras_cornernet.lazy import names_on_first_use

# The module of each name, imported on first use: the writers need TensorFlow, but opening a file does not.
_HOMES = {
    "PRECISIONS": "precisions",
    "change_description": "describing",
    "compare": "comparison",
    "fold": "folding",
    "is_exported": "runtimes",
    "load": "exported",
    "self_test": "self_tests.running",
    "to_onnx": "onnx_files",
    "to_openvino": "onnx_files",
    "to_saved_model": "saved_model",
    "to_tflite": "tflite",
    "write": "writers",
}

__all__ = sorted(_HOMES)

__getattr__ = names_on_first_use(__name__, _HOMES)
