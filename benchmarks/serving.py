"""The signatures of a SavedModel, and a real server under load: `python benchmarks/serving.py [MODEL]`.

Exports the model and prints, on 2 threads:

- the time of `serving_default` (an encoded picture) divided by that of `images` (the same picture as
  numbers), at 48x64 and at 480x640, there with the time of decoding taken off;
- the memory of the process before and after `--requests` calls of each signature;
- with `--server kserve` (or `tfserving`), latencies seen by `--clients` that send `--requests` pictures of
  several sizes to that server at once, how many answers differ from those to the same pictures alone, and the
  server's memory before and after.

`tfserving` is the program `tensorflow_model_server`. KServe wants packages of its own:

    python -m venv kserve && kserve/bin/pip install kserve tensorflow-cpu
    KSERVE_PYTHON=kserve/bin/python python benchmarks/serving.py --server kserve
"""

import argparse
import io
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from server_load import SERVERS, loaded, percentiles, resident, running
from tensorflow_side import tf
from timing import VERDICT_HEAD, Spread, interleave, ratio, table, verdict

from keras_cornernet.data.scenes import draw_scene
from keras_cornernet.export import to_saved_model
from keras_cornernet.presets import from_preset

SIZES = ((48, 64), (480, 640))
SERVED_SIZES = ((240, 320), (480, 640), (200, 300), (375, 500))
AT_MOST = 1.3
PARTS = 4  # in which the growth of memory is shown


def jpeg(seed: int, size: tuple[int, int]) -> bytes:
    """A drawn scene as the bytes of a JPEG file."""
    file = io.BytesIO()
    Image.fromarray(draw_scene(seed, size, max_people=3)[0]).save(file, "JPEG", quality=90)
    return file.getvalue()


def calls_of(signatures: Any, file: bytes) -> dict[str, Any]:
    """The signatures on one picture, and its decoding alone."""
    encoded = tf.constant([file])
    decode = tf.function(
        lambda data: tf.io.decode_jpeg(data, 3, dct_method="INTEGER_ACCURATE"), autograph=False
    )
    pixels = tf.cast(decode(encoded[0])[None], tf.float32)
    # `numpy` waits for the answer.
    return {
        "serving_default": lambda: signatures["serving_default"](image_bytes=encoded)["scores"].numpy(),
        "images": lambda: signatures["images"](images=pixels)["scores"].numpy(),
        "decoding": lambda: decode(encoded[0]).numpy(),
    }


def show_ratios(signatures: Any, rounds: int) -> None:
    """Prints times and ratios at each size."""
    rows = []
    for size in SIZES:
        results = interleave(calls_of(signatures, jpeg(1, size)), rounds, turn_seconds=0.2)
        print(table(results, f"one picture of {size[0]}x{size[1]}"), "\n", flush=True)
        name = f"{size[0]}x{size[1]}: serving_default / images"
        if size != SIZES[0]:
            name = name.replace("serving_default", "(serving_default - decoding)")
            pairs = zip(results["serving_default"].samples, results["decoding"].samples, strict=True)
            results["serving_default"] = Spread(tuple(whole - decoding for whole, decoding in pairs))
        rows.append(verdict(ratio(results, "serving_default", "images"), AT_MOST, name))
    print(VERDICT_HEAD, *rows, "", sep="\n", flush=True)


def show_memory(signatures: Any, requests: int) -> None:
    """Prints the memory of this process over many calls of each signature."""
    calls = calls_of(signatures, jpeg(1, SIZES[0]))
    print(f"| calls | MB before | {'MB after each quarter | ' * PARTS}MB per 1,000, last three quarters |")
    print("|---|" + "---:|" * (PARTS + 2))
    for name in ("serving_default", "images"):
        for _ in range(200):  # what is made once
            calls[name]()
        held = [resident()]
        for _ in range(PARTS):
            for _ in range(requests // PARTS):
                calls[name]()
            held.append(resident())
        rate = 1000 * (held[-1] - held[1]) / (requests * (PARTS - 1) / PARTS)
        row = " | ".join(f"{value:.1f}" for value in held)
        print(f"| {requests} of {name} | {row} | {rate:.3f} |", flush=True)
    print()


def show_server(server: str, version: Path, clients: int, requests: int) -> None:
    """Prints what the clients of a real server see."""
    pictures = [jpeg(seed, SERVED_SIZES[seed % len(SERVED_SIZES)]) for seed in range(16)]
    with running(server, version) as served:
        loaded(served, pictures, clients=clients, requests=20 * clients)  # what is made once
        before = resident(served.process.pid)
        load = loaded(served, pictures, clients=clients, requests=requests)
        after = resident(served.process.pid)
    print(f"### {server}, {clients} clients, {len(pictures)} pictures\n\n{percentiles(load)}\n")
    print(f"answers unlike those alone: {load.differing} of {requests}, by at most {load.largest:g}")
    print(f"memory of the server: {before:.1f} MB before, {after:.1f} MB after", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model", nargs="?", default="hourglass_people", metavar="MODEL")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--server", choices=SERVERS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        version = to_saved_model(from_preset(options.model), folder, options.model).path
        if options.server:
            show_server(options.server, version, options.clients, options.requests)
            return
        opened = tf.saved_model.load(str(version))
        show_ratios(opened.signatures, options.rounds)
        show_memory(opened.signatures, options.requests)


if __name__ == "__main__":
    main()
