"""Inputs and their mirror images: side by side in a batch, and their maps and results brought together."""

import numpy as np
from keras import ops

from keras_cornernet.skeletons import Skeleton
from keras_cornernet.tensors import Tensor


def with_mirror_inputs(inputs: np.ndarray, flip: bool) -> np.ndarray:
    """`(batch, h, w, 3)` inputs, and with `flip` their mirror images after them."""
    return np.concatenate([inputs, inputs[:, :, ::-1]]) if flip else inputs


def halves(maps: dict[str, dict[str, Tensor]]) -> list[dict[str, dict[str, Tensor]]]:
    """The maps of images and those of their mirror images, which follow them in the batch."""
    split = {
        branch: {head: ops.split(value, 2) for head, value in heads.items()} for branch, heads in maps.items()
    }
    return [
        {branch: {head: parts[i] for head, parts in heads.items()} for branch, heads in split.items()}
        for i in (0, 1)
    ]


def unmirror(heatmaps: Tensor, skeleton: Skeleton, *, shift: bool = False) -> Tensor:
    """The heatmaps of mirror images, mirrored back, with left and right joints exchanged.

    Args:
        heatmaps: `(batch, h, w, k)`.
        skeleton: of the `k` joints.
        shift: then move the maps one cell to the right and repeat the first column, as mmpose does.
    """
    back = ops.take(heatmaps[:, :, ::-1], np.array(skeleton.flip_order), axis=3)
    return ops.concatenate([back[:, :, :1], back[:, :, :-1]], axis=2) if shift else back


def side_by_side(part: Tensor) -> Tensor:
    """`(batch, 2 n, ...)` of `(2 batch, n, ...)`: what was found on images and on their mirror images."""
    return ops.concatenate(ops.split(part, 2), axis=1)
