"""Memory of training steps, with and without `rematerialize`: `python benchmarks/memory.py [NAME ...]`.

For each network a training step (forward, the mean square of all outputs as a loss, backward) as it is and
with `rematerialize`, each in a process of its own. Prints

- on TensorFlow the peak of the process's memory above that before the first step, the ratio, and the ratio of
  the seconds of three further steps with its spread;
- on JAX the bytes that are kept between forward and backward, and their ratio. XLA for processors computes
  nothing twice, whatever it is told, so there the peak is the same; it is on GPUs that this counts.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from typing import Any

NAMES = ("hourglass_2stack", "hourglass_8stack", "cornernet_squeeze", "cornernet_hourglass52")
STEPS = 3


def worker(name: str, batch: int, on: bool) -> dict[str, Any]:
    """What one network takes on the backend of this process."""
    from keras_cornernet.backend import runs_on_jax
    from keras_cornernet.presets import from_preset
    from keras_cornernet.training import rematerialize

    model = from_preset(name)
    size = model.settings.input_size
    if on:
        rematerialize(model.network)
    measure = bytes_kept if runs_on_jax() else peak
    return {"size": size, **measure(model.network, (batch, *size, 3))}


def bytes_kept(network: Any, shape: tuple[int, ...]) -> dict[str, Any]:
    """What JAX keeps for the gradients, weights apart."""
    import jax

    others = [variable.value for variable in network.non_trainable_variables]
    trainable = [variable.value for variable in network.trainable_variables]

    def loss(trainable: Any, images: Any) -> Any:
        outputs, _ = network.stateless_call(trainable, others, images, training=True)
        return sum(jax.numpy.mean(leaf**2) for leaf in jax.tree.leaves(outputs))

    def kept(trainable: Any, images: Any) -> Any:
        return jax.tree.leaves(jax.vjp(loss, trainable, images)[1])

    leaves = jax.eval_shape(kept, trainable, jax.ShapeDtypeStruct(shape, "float32"))
    weights = sum(value.nbytes for value in trainable)
    return {"bytes": sum(leaf.size * leaf.dtype.itemsize for leaf in leaves) - weights}


def peak(network: Any, shape: tuple[int, ...]) -> dict[str, Any]:
    """What TensorFlow's process takes, and the seconds of further steps."""
    import tensorflow as tf

    @tf.function
    def step(images: Any) -> Any:
        with tf.GradientTape() as tape:
            outputs = network(images, training=True)
            loss = sum(tf.reduce_mean(tf.square(leaf)) for leaf in tf.nest.flatten(outputs))
        gradients = tape.gradient(loss, network.trainable_variables)
        return [tf.norm(gradient) for gradient in gradients if gradient is not None]

    images = tf.zeros(shape) + 100.0
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    step(images)
    used = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    seconds = []
    for _ in range(STEPS):
        start = time.perf_counter()
        step(images)
        seconds.append(time.perf_counter() - start)
    return {"bytes": used, "seconds": seconds}


def run(backend: str, name: str, batch: int, on: bool) -> dict[str, Any]:
    """The result of a worker."""
    command = [sys.executable, __file__, name, "--batch", str(batch), "--worker", "on" if on else "off"]
    quiet = {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, env=os.environ | quiet, stdout=subprocess.PIPE, check=True, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", default=NAMES)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--worker", choices=("on", "off"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        print(json.dumps(worker(options.names[0], options.batch, options.worker == "on")))
        return
    print("| network | input | batch | TensorFlow, peak | seconds | JAX, kept |")
    print("|---|---|---:|---|---|---|", flush=True)
    for name in options.names:
        cells = []
        for backend in ("tensorflow", "jax"):
            plain, again = (run(backend, name, options.batch, on) for on in (False, True))
            before, after = (result["bytes"] for result in (plain, again))
            cells.append(f"{before / 1e9:.2f} -> {after / 1e9:.2f} GB: {after / before:.2f}")
            if "seconds" in plain:
                ratios = sorted(b / a for a in plain["seconds"] for b in again["seconds"])
                cells.append(f"{ratios[len(ratios) // 2]:.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})")
        height, width = plain["size"]
        print(f"| {name} | {height} x {width} | {options.batch} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
