"""`keras-cornernet benchmark`: how long a model takes for an image, part by part, and its size."""

import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from keras_cornernet.cli.console import show
from keras_cornernet.cli.options import AsJson, Flip, Runnable, Trust

UNITS = {"preprocessing": "ms", "network": "ms", "decoding": "ms", "total": "ms", "peak_memory": "MB"}


@dataclass(frozen=True)
class BenchmarkResult:
    """What was measured; the fields are fit for json.

    Attributes:
        image_size, input_size: `[height, width]` of the image and of the network's input; the second is None
            where it is not one size.
        total: median milliseconds of `predict`.
        images_per_second: from the total.
        peak_memory: MB that the process held at most, with Keras and its backend; None on Windows.
        preprocessing, network, decoding: median milliseconds for an image; None where they cannot be told
            apart, as in an exported file. Decoding is all that the others leave of the total.
        parameters: of the network, all of them; None for an exported file.
        gmac: 1e9 multiply-adds of one forward pass; None where the network has no one input size.
        forward_passes: of the network for an image: two with the mirror image.
        bytes: of an exported file, else None.
    """

    image_size: list[int]
    input_size: list[int] | None
    total: float
    images_per_second: float
    peak_memory: float | None
    preprocessing: float | None = None
    network: float | None = None
    decoding: float | None = None
    parameters: int | None = None
    gmac: float | None = None
    forward_passes: int | None = None
    bytes: int | None = None

    def __str__(self) -> str:
        lines = []
        for name, value in asdict(self).items():
            if value is None:
                continue
            shown = "x".join(map(str, value)) if isinstance(value, list) else value
            if isinstance(shown, float):
                shown = f"{shown:.4g}"
            elif isinstance(shown, int):
                shown = f"{shown:,}"
            lines.append(f"{name.replace('_', ' '):<20}{shown} {UNITS.get(name, '')}".rstrip())
        return "\n".join(lines)


def benchmark_model(
    model: str,
    *,
    image: str | Path | None = None,
    repeats: int = 20,
    flip: bool | None = False,
    trust: bool = False,
) -> BenchmarkResult:
    """Measures a model on one image, again and again.

    Args:
        model: a preset with weights, a `.keras` file or an exported file.
        image: a file; by default a scene of 480 x 640 is drawn.
        repeats: runs of each part; the first, which compiles, is not counted.
        flip: average with the mirror image; None follows the model's settings.
        trust: of a SavedModel, see `export.load`.

    Raises:
        ValueError: there is no such model.
        OSError: the image cannot be read.
    """
    from keras_cornernet.data.scenes import draw_scene
    from keras_cornernet.preprocessing import read_image
    from keras_cornernet.tasks import load_model

    loaded = load_model(model, trust=trust)
    pixels = draw_scene(0, (480, 640))[0] if image is None else read_image(image)
    total = median_milliseconds(lambda: loaded.predict(pixels, flip=flip), repeats)
    if hasattr(loaded, "network"):
        parts = _parts(loaded, pixels, repeats, total, flip)
    else:
        size = loaded.description.image_size
        parts = {"input_size": size and list(size), "bytes": _bytes(Path(model))}
    return BenchmarkResult(
        image_size=list(pixels.shape[:2]),
        total=total,
        images_per_second=1e3 / total,
        peak_memory=peak_memory(),
        **parts,
    )


def _bytes(path: Path) -> int:
    parts = path.rglob("*") if path.is_dir() else [path, path.with_suffix(".bin")]
    return sum(part.stat().st_size for part in parts if part.is_file())


def _parts(model: Any, pixels: Any, repeats: int, total: float, flip: bool | None) -> dict[str, Any]:
    """What is known of a model in Keras: its size, and the time of each part where it has one view."""
    import numpy as np

    from keras_cornernet.backend import jit

    known: dict[str, Any] = {"parameters": model.network.count_params(), "input_size": None}
    view = model.only_view(pixels.shape[:2])
    if view is None:
        return known
    passes = 1 + (model.settings.flip if flip is None else flip)
    shown = np.repeat(view.apply(pixels)[None].astype(np.float32), passes, axis=0)
    network = jit(lambda images: model.network(images, training=False)[-1], model.network)

    def run() -> None:
        for heads in network(shown).values():
            for value in heads.values():
                np.asarray(value)  # waits for it

    preprocessing = median_milliseconds(lambda: view.apply(pixels), repeats)
    forward = median_milliseconds(run, repeats)
    return {
        **known,
        "input_size": list(view.input_size),
        "gmac": _multiply_adds(model.network, view.input_size) / 1e9,
        "forward_passes": passes,
        "preprocessing": preprocessing,
        "network": forward,
        "decoding": max(0.0, total - preprocessing - forward),
    }


def _multiply_adds(network: Any, input_size: tuple[int, int]) -> int:
    from keras_cornernet.models.cost import multiply_adds

    config = {**network.get_config(), "input_size": tuple(input_size)}
    return multiply_adds(type(network).from_config(config))


def median_milliseconds(run: Callable[[], object], repeats: int) -> float:
    """The median time of a function that has run once before."""
    import numpy as np

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


def benchmark(
    model: Runnable,
    image: Annotated[Path | None, typer.Option(help="To measure on; by default a scene is drawn.")] = None,
    repeats: Annotated[int, typer.Option(min=1, help="Runs, of which the median is reported.")] = 20,
    flip: Flip = False,
    trust: Trust = False,
    as_json: AsJson = False,
) -> None:
    """Measure how long a model takes for an image, part by part, and its size."""
    show(benchmark_model(model, image=image, repeats=repeats, flip=flip, trust=trust), as_json)
