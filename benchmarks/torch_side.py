"""torch with as many threads as TensorFlow, for benchmarks that compare with it."""

import sys

from tensorflow_side import THREADS

try:
    import torch
except ImportError:
    sys.exit("This benchmark compares with torch. Type: pip install 'keras_cornernet[torch]'")

torch.set_num_threads(THREADS)

__all__ = ["torch"]
