"""AP50 over input sizes: `python benchmarks/input_sizes.py --data FOLDER --size 320x320 .. MODEL ..`.

Measures each model, a preset or a `.keras` file (`NAME=FILE` gives it another name), on the validation part
of a folder in the layout of COCO, at each input size in turn, one view without the mirror image. AP goes over
the classes that model and data share. A detector whose corners pair at the trained size alone shows here.
"""

import argparse
from pathlib import Path

from tensorflow_side import tf  # noqa: F401  (sets the threads before TensorFlow starts)

from keras_cornernet import read_dataset
from keras_cornernet.cli.console import parse_size
from keras_cornernet.presets import from_preset

SIZES = ("256x256", "320x320", "384x384", "320x448", "448x320", "448x448", "512x512")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("models", nargs="+", metavar="MODEL")
    parser.add_argument("--data", required=True, action="append")
    parser.add_argument("--size", action="append", metavar="HxW")
    options = parser.parse_args()
    sizes = options.size or SIZES
    print(f"| data | model | {' | '.join(sizes)} |")
    print(f"|---|---|{'---:|' * len(sizes)}", flush=True)
    for folder in options.data:
        dataset = read_dataset(folder, part="val")
        for given in options.models:
            name, _, source = given.rpartition("=")
            detector = from_preset(source)
            found = []
            for size in sizes:
                sized = detector.with_settings(input_size=parse_size(size))
                found.append(sized.evaluate(dataset, flip=False).metrics["AP50"])
            cells = " | ".join(f"{value:.3f}" for value in found)
            print(f"| {Path(folder).name} | {name or Path(source).stem} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
