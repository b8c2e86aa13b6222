"""Published PyTorch weights into networks of this package."""

from keras_cornernet.conversion.converter import (
    Report,
    convert,
    convert_checkpoint,
    convert_state,
    infer_arguments,
)
from keras_cornernet.conversion.torch_checkpoint import read_checkpoint

__all__ = [
    "Report",
    "convert",
    "convert_checkpoint",
    "convert_state",
    "infer_arguments",
    "read_checkpoint",
]
