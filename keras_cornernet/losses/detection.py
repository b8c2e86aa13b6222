"""The loss of the keypoint detectors."""

from dataclasses import dataclass

from keras import ops

from keras_cornernet.backend import sum_over_replicas
from keras_cornernet.losses.embedding import pull_push_loss
from keras_cornernet.losses.heatmap import penalty_reduced_focal_loss
from keras_cornernet.losses.offset import offset_loss
from keras_cornernet.ops.gather import gather_cells


@dataclass(frozen=True)
class DetectionLoss:
    """Focal, pull, push and offset terms over the heads that are there, averaged over the stacks.

    Attributes:
        pull_weight, push_weight, offset_weight: the paper's weights.
        offset_beta: offsets nearer than that many cells are pulled less and less; 1 in the papers.
        embedding_batch: pull and push are sums over the images of a batch, as in the released code, so
            their weight grows with the batch. A number here scales them to what a batch of that many
            images would give: the authors' images per GPU, over which alone they summed.
        attention_weight: of the focal loss of CornerNet-Saccade's attention maps; 0 where there are none. The
            released code, with weight 1, divides it by the number of stacks twice, and so does this.

    Called with `targets` of a codec and `outputs` of a network, it returns `{"focal", "pull", "push",
    "offset"}` and, with an `attention_weight`, `"attention"`: scalars, weighted, that add up to the loss.

    Source: Law & Deng 2018, eq. 6; `AELoss` of princeton-vl/CornerNet, `models/py_utils/kp.py`;
    `CornerNet_Saccade_Loss` of princeton-vl/CornerNet-Lite, `core/models/py_utils/losses.py`; CenterNet's has
    the centre's terms besides (Duan et al. 2019, eq. 3).
    """

    pull_weight: float = 0.1
    push_weight: float = 0.1
    offset_weight: float = 1.0
    offset_beta: float = 1.0
    embedding_batch: int | None = None
    attention_weight: float = 0.0

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the terms."""
        return ("focal", "pull", "push", "offset") + ("attention",) * bool(self.attention_weight)

    def __call__(self, targets: dict, outputs: list) -> dict:
        total = dict.fromkeys(self.names, 0.0)
        for stack in outputs:
            terms = self._stack_terms(targets, stack)
            if self.attention_weight:
                attention = attention_loss(stack["attention"], targets["attention"])
                terms["attention"] = self.attention_weight * attention / len(outputs)
            for name, value in terms.items():
                total[name] = total[name] + value / len(outputs)
        return total

    def _stack_terms(self, targets, stack):
        focal, offset, embeddings = 0.0, 0.0, []
        for branch, heads in stack.items():
            if branch == "attention":
                continue
            target = targets[branch]
            mask = target.get("heatmap_mask", targets.get("heatmap_mask"))
            focal += penalty_reduced_focal_loss(heads["heatmap"], target["heatmap"], mask)
            predicted = gather_cells(heads["offset"], target.get("offset_index", target["index"]))
            taught = target.get("offset_mask", targets["mask"])
            offset += offset_loss(predicted, target["offset"], taught, self.offset_beta)
            if "embedding" in heads:
                embeddings.append(gather_cells(heads["embedding"], target["index"]))
        pull, push = pull_push_loss(*embeddings, targets["mask"])
        scale = self._embedding_scale(targets["mask"])
        return {
            "focal": focal,
            "pull": self.pull_weight * scale * pull,
            "push": self.push_weight * scale * push,
            "offset": self.offset_weight * offset,
        }

    def _embedding_scale(self, mask):
        if self.embedding_batch is None:
            return 1.0
        images = ops.cast(ops.shape(mask)[0], "float32")
        return self.embedding_batch / sum_over_replicas(images)


def attention_loss(maps: dict, targets: dict):
    """The focal loss of each attention map, summed; each is divided by its own number of marked cells.

    Args:
        maps, targets: `{level: (batch, rows, columns, 1)}`, logits and marks.
    """
    return sum(penalty_reduced_focal_loss(maps[level], targets[level]) for level in targets)
