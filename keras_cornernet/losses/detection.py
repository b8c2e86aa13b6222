"""The loss of the detectors."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from keras import ops

from keras_cornernet.backend import sum_over_replicas
from keras_cornernet.checks import check_number
from keras_cornernet.losses.embedding import pull_push_loss
from keras_cornernet.losses.heatmap import penalty_reduced_focal_loss
from keras_cornernet.losses.offset import dense_size_loss, offset_loss
from keras_cornernet.ops.gather import gather_cells, pick_class
from keras_cornernet.tensors import Tensor

SHIFTS = ("centripetal", "guiding")


@dataclass(frozen=True)
class DetectionLoss:
    """The sum of a term for each type of head, over the branches and averaged over the stacks.

    Attributes:
        pull_weight, push_weight: of the embeddings; both 0 for a detector without embeddings.
        offset_weight: of the offsets.
        offset_beta: see `offset_loss`; 0 is L1.
        size_weight: of the sizes; 0 for a detector without sizes.
        size_beta: as `offset_beta`, for sizes.
        centripetal_weight, guiding_weight: of the shifts from corners to centres; 0 for a detector without
            them.
        shift_beta: as `offset_beta`, for these shifts.
        embedding_batch: pull and push are sums over the images of a batch, as in the released code, so that
            their weight grows with the batch. A number here scales them to a batch of that many images: the
            authors' images per GPU, over which alone they summed.
        attention_weight: of the focal loss of the attention maps of CornerNet-Saccade; 0 for a detector
            without them. The released code, with weight 1, divides it by the number of stacks twice; so does
            this.
        mean_over_stacks: take the mean of the stacks' losses, not their sum.
        mean_over_branches: take the mean of the branches' terms, not their sum.
        count_epsilon: added to the number of objects by which offsets, sizes and shifts are divided.
        heatmap_loss: called as `penalty_reduced_focal_loss(logits, targets, mask)`.

    Raises:
        ValueError: a setting is out of its range; the message names it.

    Called with the `targets` of a codec and the `outputs` of a network, it returns the terms by name:
    weighted scalars that add up to the loss. `targets["sample_weight"]`, `(batch,)`, is optional: what an
    image adds to the sums is multiplied by it, and the numbers that the sums are divided by are not.

    Source: Law & Deng 2018, eq. 6; `AELoss` of princeton-vl/CornerNet, `models/py_utils/kp.py`;
    `CornerNet_Saccade_Loss` of princeton-vl/CornerNet-Lite, `core/models/py_utils/losses.py`; Duan et al.
    2019 (CenterNet), eq. 3; Zhou et al. 2019 (Objects as Points), eq. 4; `CtdetLoss` of
    xingyizhou/CenterNet, `src/lib/trains/ctdet.py`; Dong et al. 2020 (CentripetalNet), sec. 3.4;
    `loss_by_feat` of open-mmlab/mmdetection, `mmdet/models/dense_heads/centripetal_head.py`.
    """

    pull_weight: float = 0.1
    push_weight: float = 0.1
    offset_weight: float = 1.0
    offset_beta: float = 1.0
    size_weight: float = 0.0
    size_beta: float = 0.0
    centripetal_weight: float = 0.0
    guiding_weight: float = 0.0
    shift_beta: float = 1.0
    embedding_batch: int | None = None
    attention_weight: float = 0.0
    mean_over_stacks: bool = True
    mean_over_branches: bool = False
    count_epsilon: float = 1e-4
    heatmap_loss: Callable[..., Tensor] = penalty_reduced_focal_loss

    weighs_samples: ClassVar[bool] = True

    def __post_init__(self) -> None:
        for name in ("pull", "push", "offset", "size", *SHIFTS, "attention"):
            check_number(f"{name}_weight", getattr(self, f"{name}_weight"), at_least=0)
        for name in ("offset_beta", "size_beta", "shift_beta", "count_epsilon"):
            check_number(name, getattr(self, name), at_least=0)
        if self.embedding_batch is not None:
            check_number("embedding_batch", self.embedding_batch, at_least=1, whole=True)
        if not callable(self.heatmap_loss):
            raise ValueError(f"heatmap_loss must be a function, not {self.heatmap_loss!r}")

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the terms: those whose weight is not 0."""
        weights = {
            "focal": 1.0,
            "pull": self.pull_weight,
            "push": self.push_weight,
            "offset": self.offset_weight,
            "size": self.size_weight,
            "centripetal": self.centripetal_weight,
            "guiding": self.guiding_weight,
            "attention": self.attention_weight,
        }
        return tuple(name for name, weight in weights.items() if weight)

    def __call__(self, targets: dict[str, Any], outputs: list[Any]) -> dict[str, Tensor]:
        total: dict[str, Tensor] = {}
        parts = len(outputs) if self.mean_over_stacks else 1
        for stack in outputs:
            terms = self._stack_terms(targets, stack)
            if self.attention_weight:
                attention = self.attention_loss(
                    stack["attention"],
                    targets["attention"],
                    targets.get("attention_mask"),
                    targets.get("sample_weight"),
                )
                terms["attention"] = self.attention_weight * attention / len(outputs)
            for name in self.names:
                if name in terms:
                    total[name] = total.get(name, 0.0) + terms[name] / parts
        return total

    def _stack_terms(self, targets: dict[str, Any], stack: dict[str, Any]) -> dict[str, Tensor]:
        """The terms of one stack without attention; pull and push only where there are embeddings."""
        terms: dict[str, Tensor] = {}
        embeddings: list[Tensor] = []
        branches = [name for name in stack if name != "attention"]
        for branch in branches:
            heads, target = stack[branch], targets[branch]
            for name, value in self._branch_terms(targets, target, heads).items():
                terms[name] = terms.get(name, 0.0) + value
            if "embedding" in heads:
                embeddings.append(gather_cells(heads["embedding"], target["index"]))
        if self.mean_over_branches:
            terms = {name: value / len(branches) for name, value in terms.items()}
        if embeddings:
            first, second = embeddings
            pull, push = pull_push_loss(
                first, second, targets["mask"], sample_weight=targets.get("sample_weight")
            )
            scale = self._embedding_scale(targets["mask"])
            terms |= {"pull": self.pull_weight * scale * pull, "push": self.push_weight * scale * push}
        return terms

    def _branch_terms(
        self, targets: dict[str, Any], target: dict[str, Tensor], heads: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        """The terms of one branch without its embedding."""
        weight = targets.get("sample_weight")
        mask = _weighted(target.get("heatmap_mask", targets.get("heatmap_mask")), weight)
        terms = {"focal": self.heatmap_loss(heads["heatmap"], target["heatmap"], mask)}
        cells = target.get("offset_index", target["index"])
        positive = target.get("offset_mask", targets["mask"])
        betas = {"offset": self.offset_beta, **dict.fromkeys(SHIFTS, self.shift_beta)}
        for name, beta in betas.items():
            if name in heads:
                predicted = gather_cells(heads[name], cells)
                loss = offset_loss(
                    predicted,
                    target[name],
                    positive,
                    beta,
                    epsilon=self.count_epsilon,
                    sample_weight=weight,
                )
                terms[name] = getattr(self, f"{name}_weight") * loss
        if "size" in heads:
            terms["size"] = self.size_weight * self._size_loss(heads["size"], target, cells, positive, weight)
        return terms

    def _size_loss(
        self,
        maps: Tensor,
        target: dict[str, Tensor],
        cells: Tensor,
        positive: Tensor,
        weight: Tensor | None,
    ) -> Tensor:
        if "size_map" in target:
            return dense_size_loss(maps, target["size_map"], target["size_map_weight"], sample_weight=weight)
        predicted = gather_cells(maps, cells)
        if "size_label" in target:
            predicted = pick_class(predicted, target["size_label"], predicted.shape[-1] // 2)
        return offset_loss(
            predicted,
            target["size"],
            positive,
            self.size_beta,
            epsilon=self.count_epsilon,
            sample_weight=weight,
        )

    def _embedding_scale(self, mask: Tensor) -> Tensor:
        if self.embedding_batch is None:
            return 1.0
        images = ops.cast(ops.shape(mask)[0], "float32")
        return self.embedding_batch / sum_over_replicas(images)

    def attention_loss(
        self,
        maps: dict[str, Tensor],
        targets: dict[str, Tensor],
        masks: dict[str, Tensor] | None = None,
        sample_weight: Tensor | None = None,
    ) -> Tensor:
        """The sum of the losses of all attention maps; each is divided by its own number of marked cells.

        Args:
            maps, targets: `{level: (batch, rows, columns, 1)}`, logits and marks.
            masks: likewise, 0 for cells that are left out; None for none.
            sample_weight: `(batch,)`, by which the loss of each image is multiplied.
        """
        return sum(
            self.heatmap_loss(
                maps[level], targets[level], _weighted(None if masks is None else masks[level], sample_weight)
            )
            for level in targets
        )


def _weighted(mask: Tensor | None, sample_weight: Tensor | None) -> Tensor | None:
    """A mask of cells, or none, with the weights of the images."""
    if sample_weight is None:
        return mask
    weight = sample_weight[:, None, None, None]
    return weight if mask is None else mask * weight
