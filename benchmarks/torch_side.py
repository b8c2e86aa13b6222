"""torch with as many threads as TensorFlow has, for the benchmarks that measure against it."""

import sys

from tensorflow_side import THREADS

try:
    import torch
except ImportError:
    sys.exit("This benchmark measures against torch. Type: pip install 'keras_cornernet[torch]'")

torch.set_num_threads(THREADS)

__all__ = ["torch"]
