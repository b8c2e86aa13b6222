"""Milliseconds an image takes: `python benchmarks/inference.py [--rounds N]`.

`predict` of the shipped models on one image of noise of 480x640 in memory (a pose network takes it for one
person): fitting, network, decoding, suppression, back to image pixels; as shipped (with the mirror image)
and without it. On 2 threads. Then where the time goes: the network alone, on the same input.
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
    """How the model looks at the image."""
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
        plain = model.with_settings(flip=False)
        view = view_of(plain)
        shown = tf.constant(view.apply(image)[None], tf.float32)
        network = jit(lambda images, network=model.network: network(images, training=False), model.network)
        shipped, single, alone = "predict, flip=True", "predict", "network alone"
        results = interleave(
            {
                shipped: lambda d=model: d.predict(image, flip=True),
                single: lambda d=plain: d.predict(image),
                alone: lambda run=network, x=shown: next(iter(run(x)[-1].values()))["heatmap"].numpy(),
            },
            options.rounds,
        )
        print(table(results, f"{name}, input {view.input_size}"), "\n", flush=True)
        share = ratio(results, alone, single)
        print(f"the network's share without the mirror image: {share.median:.2f}\n")


if __name__ == "__main__":
    main()
