"""A trained model in the form that its user deploys: image in, final answers out.

BatchNorm is folded, and preprocessing, network, decoding and the way back to image pixels are one graph, so
that an exported file answers as `Detector.predict` and `PoseEstimator.predict` do. `load` opens it again.
"""

import importlib

# Where each name lives; loaded when first used, since the writers need TensorFlow and files need it not.
_HOMES = {
    "PRECISIONS": "tflite",
    "compare": "comparison",
    "fold": "folding",
    "is_exported": "runtimes",
    "load": "exported",
    "to_onnx": "onnx_files",
    "to_openvino": "onnx_files",
    "to_saved_model": "saved_model",
    "to_tflite": "tflite",
    "write": "writers",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
