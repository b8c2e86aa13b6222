"""`tensorflow_side` with TensorFlow started as by `keras-cornernet train`: with oneDNN's convolutions."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"

from keras_cornernet.backend import prepare_backend

prepare_backend(training=True)

from tensorflow_side import THREADS, keras, tf  # noqa: E402

__all__ = ["THREADS", "keras", "tf"]
