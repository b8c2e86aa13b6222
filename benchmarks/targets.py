"""Drawing targets against the authors' loop: `python benchmarks/targets.py [--rounds N]`.

Times `CornerCodec.encode`, compiled, against the loop over boxes of princeton-vl/CornerNet
(`sample/coco.py`, `sample/utils.py`) restated in NumPy, which fills maps with zeros and then draws one
Gaussian per corner. Batches of 8, grid 128x128, 80 classes, input 511, annotations padded to 128 objects.
Both run in one process, in turn, on 2 threads (the loop uses one of them). Filling the two maps with a
constant in TensorFlow is timed as the lower bound. Prints milliseconds per image and compares them with the
target.

The maps of a batch are 84 MB, newly allocated in every call. Where the kernel gives them out in pages of 4
KB (transparent huge pages set to "madvise"), allocating the pages takes several times longer than the
drawing. NumPy asks for huge pages by itself; TensorFlow gets them with
`GLIBC_TUNABLES=glibc.malloc.hugetlb=1` before the command. Compare with the lower bound.
"""

import argparse
import math

import numpy as np
from tensorflow_side import tf
from timing import VERDICT_HEAD, Spread, interleave, ratio, table, verdict

from keras_cornernet.backend import jit
from keras_cornernet.codecs import CornerCodec

BATCH, CLASSES, INPUT, GRID, OBJECTS = 8, 80, (511, 511), (128, 128), 128
OURS, LOOP, FILL = "CornerCodec.encode, tf.function", "authors' loop over boxes, NumPy", "fill of the maps"
# Target in milliseconds per image by boxes per image; more boxes must not cost more.
TARGETS = {10: 3.5, 100: 3.5}


def draw_annotations(count):
    """Boxes of 4 to 60 cells if there are few, of 3 to 30 if there are many, and their labels."""
    rng = np.random.default_rng(count)
    boxes, labels = np.zeros((BATCH, OBJECTS, 4), np.float32), np.full((BATCH, OBJECTS), -1, np.int32)
    center = rng.uniform(5, 120, (BATCH, count, 2))
    half = rng.uniform(*((4, 60) if count <= 20 else (3, 30)), (BATCH, count, 2)) / 2
    cells = np.clip(np.concatenate([center - half, center + half], axis=-1), 0, 127)
    boxes[:, :count] = cells * INPUT[0] / GRID[0]
    labels[:, :count] = rng.integers(0, CLASSES, (BATCH, count))
    return {"boxes": boxes, "labels": labels}


def authors_radius(height, width, overlap=0.3):
    """`gaussian_radius` of the authors: the smallest of three roots."""
    total, keep = height + width, overlap
    first = (total - math.sqrt(total**2 - 4 * (width * height * (1 - keep) / (1 + keep)))) / 2
    second = (2 * total - math.sqrt((2 * total) ** 2 - 16 * ((1 - keep) * width * height))) / 8
    slope = -2 * keep * total
    third = (slope + math.sqrt(slope**2 - 16 * keep * ((keep - 1) * width * height))) / (8 * keep)
    return min(first, second, third)


def authors_gaussian(heatmap, x, y, radius):
    """`draw_gaussian` of the authors: the maximum of the map and a Gaussian around `(x, y)`."""
    height, width = heatmap.shape
    down, right = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    sigma = (2 * radius + 1) / 6
    gaussian = np.exp(-(right * right + down * down) / (2 * sigma * sigma))
    gaussian[gaussian < np.finfo(gaussian.dtype).eps * gaussian.max()] = 0
    left, right = min(x, radius), min(width - x, radius + 1)
    top, bottom = min(y, radius), min(height - y, radius + 1)
    part = heatmap[y - top : y + bottom, x - left : x + right]
    np.maximum(part, gaussian[radius - top : radius + bottom, radius - left : radius + right], out=part)


def authors_targets(annotations):
    """The authors' loop over a batch: heatmaps `(batch, classes, h, w)`, offsets, indices of each corner."""
    rows, columns = GRID
    ratios = columns / INPUT[1], rows / INPUT[0]
    corners = []
    for _ in range(2):
        heatmaps = np.zeros((BATCH, CLASSES, rows, columns), np.float32)
        offsets, index = np.zeros((BATCH, OBJECTS, 2), np.float32), np.zeros((BATCH, OBJECTS), np.int64)
        corners.append((heatmaps, offsets, index))
    mask = np.zeros((BATCH, OBJECTS), np.uint8)
    for b in range(BATCH):
        for k, (box, label) in enumerate(zip(annotations["boxes"][b], annotations["labels"][b], strict=True)):
            if label < 0:
                break
            width, height = math.ceil((box[2] - box[0]) * ratios[0]), math.ceil((box[3] - box[1]) * ratios[1])
            radius = max(0, int(authors_radius(height, width)))
            for (heatmaps, offsets, index), (x, y) in zip(corners, (box[:2], box[2:]), strict=True):
                fine_x, fine_y = x * ratios[0], y * ratios[1]
                x, y = int(fine_x), int(fine_y)
                authors_gaussian(heatmaps[b, label], x, y, radius)
                offsets[b, k] = fine_x - x, fine_y - y
                index[b, k] = y * columns + x
            mask[b, k] = 1
    return *corners, mask


def check(ours, theirs):
    """The largest difference of the maps; both sides must have drawn the same."""
    np.testing.assert_array_equal(ours["mask"], theirs[2])
    differences = []
    for name, (heatmaps, offsets, index) in zip(("top_left", "bottom_right"), theirs[:2], strict=True):
        drawn = ours[name]["heatmap"].numpy()
        differences.append(np.abs(drawn - heatmaps.transpose(0, 2, 3, 1)).max())
        np.testing.assert_array_equal(ours[name]["index"], index)
        np.testing.assert_allclose(ours[name]["offset"], offsets, rtol=0, atol=2e-5)
    np.testing.assert_allclose(max(differences), 0, atol=1e-6)
    return max(differences)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=25)
    options = parser.parse_args()
    codec, verdicts = CornerCodec(CLASSES), []
    encode = jit(lambda annotations: codec.encode(annotations, INPUT, GRID))
    fill = jit(lambda value: [tf.fill((BATCH, *GRID, CLASSES), value * i) for i in range(2)])
    zero = tf.constant(0.0)
    for count, target in TARGETS.items():
        annotations = draw_annotations(count)
        on_device = {name: tf.constant(value) for name, value in annotations.items()}
        difference = check(encode(on_device), authors_targets(annotations))
        print(f"{count} boxes an image: same targets, largest difference of the maps {difference:.1e}\n")
        results = interleave(
            {
                OURS: lambda data=on_device: encode(data),
                LOOP: lambda data=annotations: authors_targets(data),
                FILL: lambda: fill(zero),
            },
            options.rounds,
        )
        results = {name: Spread(tuple(s / BATCH for s in spread.samples)) for name, spread in results.items()}
        print(table(results, f"one image, {count} boxes, 2 maps of {(*GRID, CLASSES)}"), "\n", flush=True)
        milliseconds = Spread(tuple(1000 * s for s in results[OURS].samples))
        verdicts.append(verdict(milliseconds, target, f"ms an image, {count} boxes"))
        if count == 100:
            verdicts.append(verdict(ratio(results, OURS, LOOP), 1 / 1.5, f"{count} boxes / authors' loop"))
        else:
            lower, upper = ratio(results, OURS, LOOP).quartiles
            print(f"{count} boxes / authors' loop: {lower:.2f} .. {upper:.2f} (no target)\n")
    print(VERDICT_HEAD.replace("ratio", "figure"), *verdicts, sep="\n")


if __name__ == "__main__":
    main()
