"""What the tests of the codecs share: the authors' targets, drawn boxes and perfect maps."""

from pathlib import Path

import numpy as np
from keras import ops, tree

from keras_cornernet.ops import affine
from keras_cornernet.preprocessing import fit_view

# Boxes in image pixels and their targets by princeton-vl/CornerNet (`cornernet`) and CornerNet-Lite (`lite`)
# without augmentation: images of 120 x 160, inputs of 127 x 127, grids of 32 x 32, four classes.
FIXTURE = Path(__file__).parents[1] / "fixtures" / "corner_targets.npz"
CASES = {
    "border_a": {},
    "empty_a": {},
    "exactly_128_a": {},
    "overlapping_a": {},
    "random_a": {},
    "random_fixed_radius_a": {"fixed_radius": 2},
    "random_no_bump_a": {"fixed_radius": 0},
    "tiny_a": {},
    "too_many_a": {},
}
INPUT_FROM_IMAGE = {
    "cornernet": fit_view((120, 160), (127, 127)).input_from_image,  # the square around it, resized
    "lite": affine.scaling(127 / 160, 127 / 120),
}
INPUT_FROM_IMAGE["centernet"] = INPUT_FROM_IMAGE["cornernet"]
LETTERS = {"top_left": "tl", "bottom_right": "br", "center": "ct"}


def annotations_of(boxes, input_from_image, size, rows):
    """Boxes with 1-based classes in image pixels as clipped, padded annotations of a batch of one."""
    moved = np.clip(affine.transform_boxes(input_from_image, boxes[:, :4]), 0, size - 1)
    left = (moved[:, 2] > moved[:, 0]) & (moved[:, 3] > moved[:, 1])
    kept, labels = moved[left][:rows], boxes[left, 4][:rows] - 1
    padded = {"boxes": np.zeros((1, rows, 4), np.float32), "labels": np.full((1, rows), -1, np.int32)}
    padded["boxes"][0, : len(kept)], padded["labels"][0, : len(kept)] = kept, labels
    return padded


def encode(codec, annotations, input_size, grid_size):
    annotations = {name: ops.convert_to_tensor(array) for name, array in annotations.items()}
    return to_numpy(codec.encode(annotations, input_size, grid_size))


def to_numpy(targets):
    return tree.map_structure(ops.convert_to_numpy, targets)


def check_targets(stored, codec, which):
    """Holds the encoded `stored["boxes"]` to the authors' arrays `WHICH_...`."""
    annotations = annotations_of(stored["boxes"], INPUT_FROM_IMAGE[which], 127, 128)
    got = encode(codec, annotations, (127, 127), (32, 32))
    np.testing.assert_array_equal(got["mask"][0], stored[f"{which}_tag_masks"])
    branches = [branch for branch in LETTERS if branch in got]
    for branch in branches:
        letters = LETTERS[branch]
        target = {name: array[0] for name, array in got[branch].items()}
        np.testing.assert_array_equal(target["index"], stored[f"{which}_{letters}_tags"])
        np.testing.assert_allclose(target["offset"], stored[f"{which}_{letters}_regrs"], rtol=0, atol=1e-5)
        heatmap = stored[f"{which}_{letters}_heatmaps"]
        np.testing.assert_allclose(target["heatmap"], heatmap, rtol=0, atol=1e-6)
        np.testing.assert_array_equal(target["heatmap"] == 1, heatmap == 1)  # what the focal loss counts
    return branches


def random_boxes(rng, count, height, width, smallest=3.0):
    size = rng.uniform(smallest, [width / 2, height / 2], (count, 2))
    low = rng.uniform(0, 1, (count, 2)) * ([width, height] - size)
    return np.concatenate([low, low + size], 1).astype(np.float32)


def perfect_maps(targets, grid, embedding, num_classes):
    """Outputs of a network that has learned `targets`: sharp peaks, exact offsets, embeddings apart."""
    outputs = {}
    for branch in LETTERS:
        if branch not in targets:
            continue
        heat = np.where(targets[branch]["heatmap"] == 1, 8.0, -8.0).astype(np.float32)
        offsets = np.zeros((*heat.shape[:3], 2), np.float32)
        embeddings = np.zeros((*heat.shape[:3], 1), np.float32)
        for b, k in zip(*np.nonzero(targets["mask"]), strict=True):
            y, x = divmod(int(targets[branch]["index"][b, k]), grid[1])
            offsets[b, y, x] = targets[branch]["offset"][b, k]
            embeddings[b, y, x] = embedding[b, k]
        outputs[branch] = {"heatmap": heat, "offset": offsets}
        if branch != "center":
            outputs[branch]["embedding"] = embeddings
        assert heat.shape[3] == num_classes
    return [outputs]
