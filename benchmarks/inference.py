"""Milliseconds per image: `python benchmarks/inference.py [--rounds N]`.

Times `predict` of the trained models on one image of noise of 480x640 in memory (a pose network takes it as
one person), with the mirror image and without it, on 2 threads: fitting the image, network, decoding,
suppression, and the way back to image pixels. Also times the network alone on the same input.
"""

import argparse

import numpy as np
from tensorflow_side import tf
from timing import interleave, ratio, table

from keras_cornernet.backend import jit
from keras_cornernet.inference import PoseEstimator
from keras_cornernet.preprocessing import person_view
from keras_cornernet.presets import PRESETS, from_preset

SIZE = (480, 640)


def view_of(model):
    """The view of the image that the model predicts on."""
    if isinstance(model, PoseEstimator):
        return person_view((SIZE[1] / 2, SIZE[0] / 2), max(SIZE), model.settings.input_size)
    (view,) = model.settings.views(SIZE)
    return view


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    image = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    for name, preset in PRESETS.items():
        if preset.weights is None:
            continue
        model = from_preset(name)
        view = view_of(model)
        shown = tf.constant(view.apply(image)[None], tf.float32)
        network = jit(lambda images, network=model.network: network(images, training=False), model.network)
        mirrored, single, alone = "predict, flip=True", "predict", "network alone"
        results = interleave(
            {
                mirrored: lambda d=model: d.predict(image, flip=True),
                single: lambda d=model: d.predict(image),
                alone: lambda run=network, x=shown: next(iter(run(x)[-1].values()))["heatmap"].numpy(),
            },
            options.rounds,
        )
        print(table(results, f"{name}, input {view.input_size}"), "\n", flush=True)
        fraction = ratio(results, alone, single)
        print(f"network / predict: {fraction.median:.2f}\n")


if __name__ == "__main__":
    main()
