"""The loss of the pose networks."""

from dataclasses import dataclass
from typing import Any, ClassVar

from keras import ops

from keras_cornernet.backend import sum_over_replicas
from keras_cornernet.checks import check_number
from keras_cornernet.tensors import Tensor


@dataclass(frozen=True)
class PoseLoss:
    """Mean squared error of the heatmaps of every stack: intermediate supervision.

    Attributes:
        mask_unannotated: leave out the heatmaps of joints without annotation or outside the input. False
            trains them to be empty, as pose-hg-train and pytorch_stacked_hourglass do.
        mean_over_stacks: take the mean of the stacks' errors (pytorch_stacked_hourglass), not their sum.
        every_stack: False trains the heatmaps of the last stack alone.
        weight: of the whole loss; pytorch-pose has 0.5.
        foreground: cells are weighted by `1 + foreground * target`. A map is empty almost everywhere, and a
            network first learns to predict empty maps; a foreground of 10 or more shortens that. 0 in the
            papers.

    Called with the `targets` of a codec and the `outputs` of a network, it returns `{"heatmap": scalar}`. The
    mean is taken over images, cells and joints, including those that are masked. `targets["sample_weight"]`,
    `(batch,)`, is optional: the errors of each image are multiplied by it.

    Raises:
        ValueError: a setting is out of its range; the message names it.

    Source: Newell et al. 2016, secs. 3.1 and 3.3; `calc_loss` of princeton-vl/pytorch_stacked_hourglass,
    `task/pose.py`; `JointsMSELoss` of bearpaw/pytorch-pose, `pose/losses`.
    """

    mask_unannotated: bool = True
    mean_over_stacks: bool = False
    every_stack: bool = True
    weight: float = 1.0
    foreground: float = 0.0

    weighs_samples: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_number("weight", self.weight, above=0)
        check_number("foreground", self.foreground, at_least=0)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the terms."""
        return ("heatmap",)

    def __call__(self, targets: dict[str, Any], outputs: list[Any]) -> dict[str, Tensor]:
        target = targets["keypoints"]
        stacks = outputs if self.every_stack else outputs[-1:]
        weight = targets.get("sample_weight")
        total = sum(self._error(target, stack["keypoints"]["heatmap"], weight) for stack in stacks)
        return {"heatmap": self.weight * (total / len(stacks) if self.mean_over_stacks else total)}

    def _error(
        self, target: dict[str, Tensor], heatmap: Tensor, sample_weight: Tensor | None = None
    ) -> Tensor:
        square = ops.square(ops.cast(heatmap, "float32") - target["heatmap"])
        if self.foreground:
            square = square * (1.0 + self.foreground * target["heatmap"])
        joints = ops.mean(square, axis=(1, 2))
        if self.mask_unannotated:
            joints = joints * target["weight"]
        if sample_weight is not None:
            joints = joints * sample_weight[:, None]
        images = sum_over_replicas(ops.cast(ops.shape(heatmap)[0], "float32"))
        return ops.sum(ops.mean(joints, axis=1)) / images
