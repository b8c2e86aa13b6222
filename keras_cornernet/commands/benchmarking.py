"""How long a model takes for an image, part by part, and what it weighs."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_cornernet.backend import jit
from keras_cornernet.commands.detection import flipped, load_trained
from keras_cornernet.data.scenes import draw_scene
from keras_cornernet.export import is_exported
from keras_cornernet.inference import Detector, PoseEstimator, SaccadeDetector
from keras_cornernet.models.cost import multiply_adds
from keras_cornernet.preprocessing import Size, person_view, read_image


class BenchmarkResult(NamedTuple):
    """What was measured; the fields are plain, fit for json.

    Attributes:
        image_size, input_size: `[height, width]` of the image and of what the network saw; the second is None
            where it is not one size.
        preprocessing, network, decoding: median milliseconds for an image; None where they cannot be told
            apart, as in an exported file. Decoding is all that the others leave of the total.
        total: median milliseconds of `predict`.
        images_per_second: by the total.
        peak_memory: MB that the process held at most, with Keras and its backend.
        parameters: of the network, all of them; None for an exported file.
        gmac: 1e9 multiply-adds of one look at an image; None where the network has no one input size.
        forward_passes: how often the network runs for an image: twice with the mirror image.
        bytes: of an exported file, else None.
    """

    image_size: list[int]
    input_size: list[int] | None
    preprocessing: float | None
    network: float | None
    decoding: float | None
    total: float
    images_per_second: float
    peak_memory: float | None
    parameters: int | None
    gmac: float | None
    forward_passes: int | None
    bytes: int | None


def benchmark(
    model: str, *, image: str | Path | None = None, repeats: int = 20, flip: bool | None = None
) -> BenchmarkResult:
    """Measures a model on one image, again and again.

    Args:
        model: a preset with weights, a `.keras` file or an exported file.
        image: a file; by default a scene of 480 x 640 is drawn.
        repeats: runs of each part; the first, which compiles, is not counted.
        flip: look at the mirror image too; None leaves it to the model's settings.

    Raises:
        ValueError: no such model.
        OSError: the image cannot be read.
    """
    loaded = flipped(load_trained(model), flip)
    pixels = draw_scene(0, (480, 640))[0] if image is None else read_image(image)
    total = median_milliseconds(lambda: loaded.predict(pixels), repeats)
    shared = {"image_size": list(pixels.shape[:2]), "total": total, "images_per_second": 1e3 / total}
    if is_exported(model):
        size, path = loaded.description.image_size, Path(model)
        parts = path.rglob("*") if path.is_dir() else [path, path.with_suffix(".bin")]
        weight = sum(part.stat().st_size for part in parts if part.is_file())
        none = dict.fromkeys(("preprocessing", "network", "decoding", "parameters", "gmac", "forward_passes"))
        told = {**shared, **none, "input_size": size and list(size), "bytes": weight}
        return BenchmarkResult(**told, peak_memory=peak_memory())
    times, size = _parts(loaded, pixels, repeats, total)
    told = {
        **shared,
        **times,
        "input_size": size and list(size),
        "peak_memory": peak_memory(),
        "parameters": loaded.network.count_params(),
        "gmac": size and _multiply_adds(loaded.network, size) / 1e9,
        "forward_passes": 1 + loaded.settings.flip if size else None,
    }
    return BenchmarkResult(**told, bytes=None)


def _parts(model, pixels, repeats, total) -> tuple[dict, Size | None]:
    """Preprocessing, network and the rest in milliseconds, and the size of the input."""
    several = isinstance(model, SaccadeDetector) or len(getattr(model.settings, "scales", (1,))) > 1
    if several:
        return dict.fromkeys(("preprocessing", "network", "decoding")), None
    view = _view(model, pixels.shape[:2])
    shown = view.apply(pixels)[None].astype(np.float32)
    shown = np.concatenate([shown] * (1 + model.settings.flip))
    network = jit(lambda images: model.network(images, training=False)[-1], model.network)

    def run():
        maps = network(shown)
        for heads in maps.values():
            for value in heads.values():
                np.asarray(value)  # waits for it

    times = {
        "preprocessing": median_milliseconds(lambda: view.apply(pixels), repeats),
        "network": median_milliseconds(run, repeats),
    }
    return {**times, "decoding": max(0.0, total - sum(times.values()))}, view.input_size


def _view(model: Detector | PoseEstimator, image_size: Size):
    if isinstance(model, Detector):
        return model.settings.views(image_size)[0]
    height, width = image_size
    return person_view((width / 2, height / 2), max(image_size), model.settings.input_size)


def _multiply_adds(network, input_size) -> int:
    config = {**network.get_config(), "input_size": tuple(input_size)}
    return multiply_adds(type(network).from_config(config))


def median_milliseconds(run: Callable[[], object], repeats: int) -> float:
    """The median time of a function that has run once before."""
    run()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return 1e3 * float(np.median(times))


def peak_memory() -> float | None:
    """MB that this process held at most; None on Windows, where Python cannot tell."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)
