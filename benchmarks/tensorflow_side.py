"""Keras on TensorFlow with 2 threads, or `BENCHMARK_THREADS`; benchmarks import both from here."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("OMP_NUM_THREADS", "2")

import keras_cornernet  # noqa: F401, I001  (first, since it configures TensorFlow)
import keras
import tensorflow as tf

THREADS = int(os.environ.get("BENCHMARK_THREADS", "2"))  # and OMP_NUM_THREADS above
tf.config.threading.set_intra_op_parallelism_threads(THREADS)
tf.config.threading.set_inter_op_parallelism_threads(THREADS)

__all__ = ["THREADS", "keras", "tf"]
