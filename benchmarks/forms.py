"""One model in every format: `python benchmarks/forms.py [MODEL ...] [--folder DIR] [--rounds N] [--form F]`.

Exports each MODEL (by default the pose networks of two and eight stacks, and the two models of the demo)
without the mirror image as SavedModel, TFLite (float32, float16, dynamic, int8), ONNX and OpenVINO into
DIR; files that exist are used as they are. Then times all of them in turn, in one process, on one image
that fills the input, with one thread and with two (in a process each, since TensorFlow's number of threads
can be set only once). The exported files return joints or boxes. The peer, the same network with the same
weights in torch on channels-last memory, and the Keras network return maps, which must agree. Needs the
extras torch, tflite, onnx and openvino. A model without trained weights gets random ones, which changes
neither times nor sizes. For networks of 200 million parameters, write each format in a run of its own
(`--form`, `--rounds 1`), because of the memory.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from tensorflow_side import THREADS, tf
from timing import interleave, ratio
from torch_cornernet import POOLS, CornerNet, load_weights
from torch_hourglass import StackedHourglass
from torch_side import torch

from keras_cornernet import export
from keras_cornernet.backend import jit
from keras_cornernet.data.scenes import make_scenes
from keras_cornernet.export.graphs import last_stack
from keras_cornernet.export.written import ExportedFile
from keras_cornernet.inference import PoseEstimator
from keras_cornernet.preprocessing import fit_view, read_image
from keras_cornernet.presets import from_preset, preset_named

MODELS = ("hourglass_2stack", "hourglass_8stack", "hourglass_people", "cornernet_people")
TORCH, KERAS = "torch, channels-last", "Keras network"


def export_forms(model, name: str, folder: Path, wanted) -> dict[str, Path]:
    """The path of each wanted form, or of all if none is named; writes those that do not exist."""
    forms = {"SavedModel": folder / name / "1"}
    forms |= {f"TFLite {p}": folder / f"{name}_{p}.tflite" for p in ("float32", "float16", "dynamic", "int8")}
    forms |= {"ONNX Runtime": folder / f"{name}.onnx", "OpenVINO": folder / f"{name}.xml"}
    forms = {form: path for form, path in forms.items() if not wanted or form in wanted}
    for form, path in forms.items():
        if path.exists():
            continue
        if form == "SavedModel":
            export.to_saved_model(model, folder, name)
        elif form == "ONNX Runtime":
            export.to_onnx(model, path)
        elif form == "OpenVINO":
            export.to_openvino(model, path)
        else:
            precision = form.split()[1]
            samples = scenes(folder, model) if precision == "int8" else ()
            export.to_tflite(model, path, precision=precision, samples=samples)
    return forms


def scenes(folder: Path, model) -> list[np.ndarray]:
    """Images for measuring the ranges of int8."""
    if not (folder / "scenes").exists():
        make_scenes(folder / "scenes", 24, seed=9)
    size = model.settings.input_size
    images = [read_image(path) for path in sorted((folder / "scenes" / "images").iterdir())]
    return [fit_view(image.shape[:2], size).apply(image) for image in images]


def torch_side_of(network):
    """The same network in torch, or None if `torch_cornernet` and `torch_hourglass` have none like it."""
    restated = {"StackedHourglass": StackedHourglass, "CornerNet": lambda a: CornerNet(a, POOLS["row loop"])}
    make = restated.get(type(network).__name__)
    if make is None:
        return None
    module = make(network.arguments)
    load_weights(module, {weight.path: weight.numpy() for weight in last_stack(network).weights})
    return module.eval().to(memory_format=torch.channels_last)


def check(ours, theirs) -> float:
    """The largest difference of two sets of maps, which must be small relative to the maps."""
    ours, theirs = np.array(ours), theirs.permute(0, 2, 3, 1).numpy()
    difference = np.abs(ours - theirs).max()
    assert difference <= 1e-3 * max(1.0, np.abs(ours).max()), difference
    return float(difference)


def measure(name: str, folder: Path, rounds: int, wanted=()) -> None:
    """Prints the rows of one model, with the number of threads of this process."""
    model = from_preset(name)
    size = model.settings.input_size or preset_named(name).input_size
    model, network = model.with_settings(flip=False, input_size=size), model.network
    image = np.random.default_rng(0).integers(0, 256, (1, *size, 3)).astype(np.float32)
    shown, tensor = tf.constant(image), torch.from_numpy(image)
    run = jit(lambda images: network(images, training=False)[-1], network)
    head = "keypoints" if isinstance(model, PoseEstimator) else "top_left"
    sides = {}
    if (module := torch_side_of(network)) is not None:

        def peer():
            with torch.inference_mode():
                return module(tensor)

        heatmap = peer() if head == "keypoints" else peer()[head]["heatmap"]
        check(run(shown)[head]["heatmap"], heatmap)
        sides[TORCH] = peer
    sides[KERAS] = lambda: run(shown)[head]["heatmap"].numpy()
    sizes = {}
    for form, path in export_forms(model, name, folder, wanted).items():
        runtime = export.load(path, threads=THREADS).runtime
        sides[form] = lambda r=runtime: r.run(image)
        sizes[form] = ExportedFile(path).size / 1e6
    results = interleave(sides, rounds)
    for side, spread in results.items():
        against = ratio(results, side, TORCH) if TORCH in results else None
        relative = f"{against.median:.2f} ({against.low:.2f} .. {against.high:.2f})" if against else ""
        megabytes = f"{sizes[side]:.1f}" if side in sizes else ""
        print(
            f"| {name} | {side} | {megabytes} | {THREADS} | {1e3 * spread.median:.1f} | {relative} |",
            flush=True,
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("models", nargs="*", metavar="MODEL")
    parser.add_argument("--folder", type=Path, default=Path("forms_output"))
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--form", action="append", default=[], help="only this form, such as SavedModel")
    parser.add_argument("--here", action="store_true", help="measure in this process only")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    models = options.models or MODELS
    if options.here:
        for name in models:
            measure(name, options.folder, options.rounds, options.form)
        return
    print("| model | form | MB | threads | ms | of torch |\n|---|---|---:|---:|---:|---:|", flush=True)
    for name in models:
        for threads in ("1", "2"):
            again = [sys.executable, __file__, name, "--here", "--folder", str(options.folder)]
            again += ["--rounds", str(options.rounds), *(f"--form={form}" for form in options.form)]
            subprocess.run(again, check=True, env=environment(threads))


def environment(threads: str) -> dict[str, str]:
    """The variables of this process, with the number of threads for all sides."""
    return {**os.environ, "BENCHMARK_THREADS": threads, "OMP_NUM_THREADS": threads}


if __name__ == "__main__":
    main()
