"""Published PyTorch weights into networks of this package, and back under the names of their authors."""

from keras_cornernet.conversion.converter import (
    Report,
    convert,
    convert_checkpoint,
    convert_state,
    infer_arguments,
)
from keras_cornernet.conversion.original import to_torch_state_dict
from keras_cornernet.conversion.torch_checkpoint import read_checkpoint

__all__ = [
    "Report",
    "convert",
    "convert_checkpoint",
    "convert_state",
    "infer_arguments",
    "read_checkpoint",
    "to_torch_state_dict",
]
