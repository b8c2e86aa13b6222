"""The loss of the pose networks."""

from dataclasses import dataclass

from keras import ops

from keras_cornernet.backend import sum_over_replicas


@dataclass(frozen=True)
class PoseLoss:
    """Mean squared error of the heatmaps of every stack: intermediate supervision.

    Attributes:
        mask_unannotated: joints without annotation or outside the input teach nothing. False teaches them
            an empty map, as pose-hg-train and pytorch_stacked_hourglass do.
        mean_over_stacks: the mean of the stacks' errors (pytorch_stacked_hourglass) instead of their sum.
        every_stack: False teaches the last stack alone.
        weight: of the whole; pytorch-pose has 0.5.
        foreground: cells count `1 + foreground * target` times. A map is almost everywhere empty, and a
            network first learns to answer nothing; a foreground of 10 or more shortens that. 0 in the papers.

    Called with `targets` of a codec and `outputs` of a network, it returns `{"heatmap": scalar}`. The mean
    goes over images, cells and joints, also those that are masked.

    Source: Newell et al. 2016, secs. 3.1 and 3.3; `calc_loss` of princeton-vl/pytorch_stacked_hourglass,
    `task/pose.py`; `JointsMSELoss` of bearpaw/pytorch-pose, `pose/losses`.
    """

    mask_unannotated: bool = True
    mean_over_stacks: bool = False
    every_stack: bool = True
    weight: float = 1.0
    foreground: float = 0.0

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the terms."""
        return ("heatmap",)

    def __call__(self, targets: dict, outputs: list) -> dict:
        target = targets["keypoints"]
        stacks = outputs if self.every_stack else outputs[-1:]
        total = sum(self._error(target, stack["keypoints"]["heatmap"]) for stack in stacks)
        return {"heatmap": self.weight * (total / len(stacks) if self.mean_over_stacks else total)}

    def _error(self, target, heatmap):
        square = ops.square(ops.cast(heatmap, "float32") - target["heatmap"])
        if self.foreground:
            square = square * (1.0 + self.foreground * target["heatmap"])
        joints = ops.mean(square, axis=(1, 2))
        if self.mask_unannotated:
            joints = joints * target["weight"]
        images = sum_over_replicas(ops.cast(ops.shape(heatmap)[0], "float32"))
        return ops.sum(ops.mean(joints, axis=1)) / images
