"""Gradients of functions of arrays: by the backend that runs, and by finite differences to hold it to."""

import keras
import numpy as np


def value_and_gradients(function, *arrays):
    """`function(*arrays)`, a scalar, and its gradient by each array, on whichever backend runs."""
    tensors = [keras.ops.convert_to_tensor(np.asarray(a, np.float32)) for a in arrays]
    if keras.backend.backend() == "jax":
        import jax

        places = tuple(range(len(tensors)))
        value, gradients = jax.jit(jax.value_and_grad(function, argnums=places))(*tensors)
    else:
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(tensors)
            value = function(*tensors)
        gradients = tape.gradient(value, tensors, unconnected_gradients="zero")
    return float(value), [keras.ops.convert_to_numpy(g) for g in gradients]


def numeric_gradients(function, *arrays, step=1e-6):
    """Central differences of a NumPy function of float64 arrays."""
    arrays = [np.array(a, np.float64) for a in arrays]
    gradients = [np.zeros_like(a) for a in arrays]
    for array, gradient in zip(arrays, gradients, strict=True):
        for place in np.ndindex(array.shape):
            kept = array[place]
            array[place] = kept + step
            above = function(*arrays)
            array[place] = kept - step
            gradient[place] = (above - function(*arrays)) / (2 * step)
            array[place] = kept
    return gradients
