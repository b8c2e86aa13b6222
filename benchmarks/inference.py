"""Milliseconds an image takes: `python benchmarks/inference.py [--rounds N]`.

`Detector.predict` of the shipped models on one image of noise of 480x640 in memory: fitting, network,
decoding, suppression, back to image pixels; as shipped (with the mirror image) and without it. On 2
threads. Then where the time goes: the network alone, on the same input.
"""

import argparse

import numpy as np
from tensorflow_side import tf
from timing import interleave, ratio, table

from keras_cornernet.backend import jit
from keras_cornernet.presets import PRESETS, from_preset

SIZE = (480, 640)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    image = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    for name, preset in PRESETS.items():
        if preset.weights is None:
            continue
        detector = from_preset(name)
        plain = detector.with_settings(flip=False)
        (view,) = plain.settings.views(SIZE)
        shown = tf.constant(view.apply(image)[None], tf.float32)
        network = jit(lambda images, network=detector.network: network(images, training=False))
        shipped, single, alone = "predict, as shipped", "predict, no mirror image", "network alone"
        results = interleave(
            {
                shipped: lambda d=detector: d.predict(image),
                single: lambda d=plain: d.predict(image),
                alone: lambda run=network, x=shown: run(x)[-1]["top_left"]["heatmap"].numpy(),
            },
            options.rounds,
        )
        print(table(results, f"{name}, input {view.input_size}"), "\n", flush=True)
        share = ratio(results, alone, single)
        print(f"the network's share without the mirror image: {share.median:.2f}\n")


if __name__ == "__main__":
    main()
