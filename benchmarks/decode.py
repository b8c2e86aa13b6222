"""Decoding and soft-NMS: `python benchmarks/decode.py [--rounds N]`.

Times `CornerCodec.decode`, compiled, on two maps of 128x128x80 (100 best corners each, 1000 pairs), against
the authors' decoding (`_decode` of princeton-vl/CornerNet, `models/py_utils/kp_utils.py`) restated in torch
for channels-last tensors, where its max-pooling is ten times faster than in the authors' NCHW. Then times
the suppression of 1000 boxes of one class, against `tf.image.non_max_suppression_with_scores`. Both sides
run in one process, in turn, on 2 threads, and must find the same boxes.
"""

import argparse

import numpy as np
from tensorflow_side import tf
from timing import VERDICT_HEAD, Spread, interleave, ratio, table, verdict
from torch_side import torch

from keras_cornernet.backend import jit
from keras_cornernet.codecs import CornerCodec
from keras_cornernet.ops.suppression import soft_nms

INPUT, GRID, CLASSES, OBJECTS = (511, 511), (128, 128), 80, 60
K, PAIRS, BOXES, KEPT = 100, 1000, 1000, 100
OURS, TORCH = "CornerCodec.decode, tf.function", "authors' decode, torch channels-last"
SOFT, EVERY, V5 = (
    f"soft_nms, best {KEPT}",
    f"soft_nms, all {BOXES}",
    "tf.image.non_max_suppression_with_scores",
)
DECODE_TARGET, SUPPRESSION_TARGET = 0.35, 6.0


def draw_maps():
    """Maps `(1, h, w, c)` of one stack: noise, to which the corners of 60 objects are added."""
    rng = np.random.default_rng(0)
    x1, y1 = rng.integers(0, 90, (2, OBJECTS))
    x2, y2 = np.stack([x1, y1]) + rng.integers(4, 38, (2, OBJECTS))
    label, embedding = rng.integers(0, CLASSES, OBJECTS), rng.uniform(-20, 20, OBJECTS)
    maps = {}
    for name, y, x in (("top_left", y1, x1), ("bottom_right", y2, x2)):
        heatmap = rng.normal(-4, 1, (1, *GRID, CLASSES))
        heatmap[0, y, x, label] = rng.normal(2, 1, OBJECTS)
        embeddings = rng.normal(0, 0.5, (1, *GRID, 1))
        embeddings[0, y, x, 0] = embedding + rng.normal(0, 0.1, OBJECTS)
        parts = {"heatmap": heatmap, "embedding": embeddings, "offset": rng.random((1, *GRID, 2))}
        maps[name] = {head: part.astype(np.float32) for head, part in parts.items()}
    return maps


def best_corners(heads):
    """`_nms` and `_topk` of the authors, and the values of the other heads at the corners."""
    heatmap = heads["heatmap"].sigmoid()
    heatmap = heatmap * (torch.nn.functional.max_pool2d(heatmap, 3, stride=1, padding=1) == heatmap).float()
    scores, position = torch.topk(heatmap.permute(0, 2, 3, 1).reshape(heatmap.size(0), -1), K)
    cell, label = position // CLASSES, position % CLASSES

    def at(part):
        rows = part.permute(0, 2, 3, 1).reshape(part.size(0), -1, part.size(1))
        return rows.gather(1, cell[..., None].expand(-1, -1, part.size(1)))

    offset = at(heads["offset"])
    x = (cell % GRID[1]).float() + offset[..., 0]
    y = (cell // GRID[1]).float() + offset[..., 1]
    return scores, label, x, y, at(heads["embedding"])[..., 0]


def authors_decode(maps):
    """`_decode` of the authors: boxes in cells, scores, labels."""
    first, second = (best_corners(maps[name]) for name in ("top_left", "bottom_right"))
    (scores, labels, left, top, first_tag) = (part[:, :, None].expand(-1, K, K) for part in first)
    (others, partners, right, bottom, second_tag) = (part[:, None, :].expand(-1, K, K) for part in second)
    pairs = (scores + others) / 2
    apart = (first_tag - second_tag).abs() > 0.5
    pairs[(labels != partners) | apart | (right < left) | (bottom < top)] = -1
    scores, position = torch.topk(pairs.reshape(pairs.size(0), -1), PAIRS)
    boxes = torch.stack([left, top, right, bottom], dim=3).reshape(pairs.size(0), -1, 4)
    boxes = boxes.gather(1, position[..., None].expand(-1, -1, 4))
    return boxes, scores, labels.reshape(pairs.size(0), -1).gather(1, position)


def compare_decoding(rounds):
    """Times both sides, which must agree."""
    maps = draw_maps()
    ours = {name: {head: tf.constant(part) for head, part in heads.items()} for name, heads in maps.items()}
    theirs = {
        name: {
            head: torch.from_numpy(part).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
            for head, part in heads.items()
        }
        for name, heads in maps.items()
    }
    codec = CornerCodec(CLASSES, top_k=K, num_detections=PAIRS)
    decode = jit(lambda maps: codec.decode([maps], INPUT))

    def torch_decode():
        with torch.inference_mode():
            return authors_decode(theirs)

    found, expected = decode(ours), torch_decode()
    scores, expected_scores = found.scores.numpy()[0], expected[1].numpy()[0]
    count = int((scores > 0).sum())
    assert count == (expected_scores > 0).sum() >= OBJECTS // 2, (count, (expected_scores > 0).sum())
    boxes = expected[0].numpy()[0] * np.float32(INPUT[0] / GRID[0])
    difference = np.abs(found.boxes.numpy()[0] - boxes)[:count].max()
    np.testing.assert_allclose(difference, 0, atol=1e-3)
    np.testing.assert_allclose(scores[:count], expected_scores[:count], rtol=0, atol=1e-6)
    np.testing.assert_array_equal(found.labels.numpy()[0, :count], expected[2].numpy()[0, :count])
    print(f"decode: the same {count} boxes, largest difference {difference:.1e} pixels\n")
    return interleave({OURS: lambda: decode(ours), TORCH: torch_decode}, rounds)


def draw_boxes():
    """Boxes `(1, n, 4)` in clusters of five, and their scores."""
    rng = np.random.default_rng(1)
    center = np.repeat(rng.uniform(0, 511, (BOXES // 5, 2)), 5, 0) + rng.normal(0, 6, (BOXES, 2))
    size = np.repeat(rng.uniform(20, 150, (BOXES // 5, 2)), 5, 0) * rng.uniform(0.8, 1.2, (BOXES, 2))
    boxes = np.concatenate([center - size / 2, center + size / 2], axis=1).astype(np.float32)
    return boxes[None], rng.uniform(0.01, 1, (1, BOXES)).astype(np.float32)


def compare_suppression(rounds):
    """Times the suppression, which must keep the boxes that TensorFlow's own operation keeps."""
    boxes, scores = (tf.constant(part) for part in draw_boxes())
    labels = tf.zeros((1, BOXES), tf.int32)

    def suppress(kept):
        return jit(lambda *inputs: tuple(soft_nms(*inputs, max_detections=kept)))

    best, every = suppress(KEPT), suppress(BOXES)
    wider = boxes[0] + [0.0, 0.0, 1.0, 1.0]  # the authors' widths count the last pixel

    @tf.function
    def built_in():
        return tf.image.non_max_suppression_with_scores(
            wider, scores[0], BOXES, iou_threshold=1.0, score_threshold=0.001, soft_nms_sigma=0.25
        )

    index, expected = (part.numpy() for part in built_in())
    for run, kept in ((best, KEPT), (every, BOXES)):
        _, got, positions = (part.numpy()[0] for part in run(boxes, scores, labels))
        count = min(kept, len(index))
        assert (got >= 0).sum() == count
        np.testing.assert_array_equal(positions[:count], index[:count])
        np.testing.assert_allclose(got[:count], expected[:count], rtol=0, atol=1e-6)
    print(f"soft-NMS: the same {len(index)} boxes in the same order\n")
    inputs = (boxes, scores, labels)
    return interleave({SOFT: lambda: best(*inputs), EVERY: lambda: every(*inputs), V5: built_in}, rounds)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=25)
    options = parser.parse_args()
    results = compare_decoding(options.rounds)
    print(table(results, f"decode of 2 maps of {(*GRID, CLASSES)}, K={K}, {PAIRS} pairs"), "\n", flush=True)
    verdicts = [verdict(ratio(results, OURS, TORCH), DECODE_TARGET, "decode / torch channels-last")]
    results = compare_suppression(options.rounds)
    print(table(results, f"Gaussian soft-NMS of {BOXES} boxes of one class"), "\n", flush=True)
    for name in (SOFT, EVERY):
        milliseconds = Spread(tuple(1000 * s for s in results[name].samples))
        verdicts.append(verdict(milliseconds, SUPPRESSION_TARGET, f"ms, {name}"))
    print(VERDICT_HEAD.replace("ratio", "figure"), *verdicts, sep="\n")


if __name__ == "__main__":
    main()
