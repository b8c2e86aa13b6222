"""AP against milliseconds: `python benchmarks/accuracy_and_speed.py --annotations JSON --images DIR MODEL`.

Measures each model, a preset or a `.keras` file (`NAME=FILE` gives it another name), by COCO's AP with the
mirror image and without it, and times `predict` on one image of the data set, all models in turn, on 2
threads. Prints a table with the times and their ratio to the first model, and draws a plot.
"""

import argparse
from pathlib import Path

from tensorflow_side import tf  # noqa: F401  (sets the threads before TensorFlow starts)
from timing import Spread, interleave, ratio

from keras_cornernet import files
from keras_cornernet.data.readers import read_coco
from keras_cornernet.preprocessing import read_image
from keras_cornernet.presets import from_preset

MODES = {True: "", False: ", no mirror"}


def draw(points: dict[str, list[tuple[float, float]]], path: Path) -> None:
    """Draws one line per model, from time and AP without the mirror image to time and AP with it."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(7, 4), dpi=110)
    for name, (plain, mirrored) in points.items():
        (line,) = axis.plot(*zip(plain, mirrored, strict=True), "-", linewidth=1)
        axis.plot(*plain, "o", color=line.get_color(), fillstyle="none")
        axis.plot(*mirrored, "o", color=line.get_color(), label=name)
    axis.set(xlabel="CPU ms an image (hollow: without the mirror image)", ylabel="AP")
    axis.set_xlim(left=0)
    axis.grid(alpha=0.3)
    axis.legend(loc="lower right")
    figure.tight_layout()
    files.write_with(path, lambda aside: figure.savefig(aside, format="png"))


def row(name: str, detector, metrics: dict[str, float], spread: Spread, against: Spread) -> str:
    """One row of the table."""
    (low, high), (least, most) = spread.quartiles, against.quartiles
    return (
        f"| {name} | {detector.network.count_params() / 1e6:.1f} M | {metrics['AP']:.3f} | "
        f"{metrics['AP50']:.3f} | {1e3 * spread.median:.0f} | {1e3 * low:.0f} .. {1e3 * high:.0f} | "
        f"{against.median:.2f} ({least:.2f} .. {most:.2f}) |"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("models", nargs="+", metavar="MODEL")
    parser.add_argument("--annotations", required=True)
    parser.add_argument("--images", required=True)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--output", type=Path, default=Path("accuracy_and_speed.png"))
    options = parser.parse_args()
    dataset = read_coco(options.annotations, options.images)
    image = read_image(dataset.samples[0].path)

    detectors, metrics = {}, {}
    for given in options.models:
        name, _, source = given.rpartition("=")
        detector = from_preset(source)
        for flip, suffix in MODES.items():
            side = (name or Path(source).stem) + suffix
            detectors[side] = detector.with_settings(flip=flip)
            metrics[side] = detectors[side].evaluate(dataset).metrics
    results = interleave(
        {side: lambda d=d: d.predict(image, flip=None) for side, d in detectors.items()}, options.rounds
    )
    first = next(iter(results))
    print(f"\n| model | parameters | AP | AP50 | ms | quartiles | of {first} |")
    print("|---|---:|---:|---:|---:|---|---|")
    for side, spread in results.items():
        print(row(side, detectors[side], metrics[side], spread, ratio(results, side, first)))
    points = {
        side: [(1e3 * results[s].median, metrics[s]["AP"]) for s in (side + MODES[False], side)]
        for side in results
        if not side.endswith(MODES[False])
    }
    draw(points, options.output)
    print(f"\n{options.output}")


if __name__ == "__main__":
    main()
