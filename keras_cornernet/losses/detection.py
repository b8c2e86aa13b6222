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
            their weight grows with the batch (the authors had 5 images per GPU). A number here scales
            them to what a batch of that many images would give.

    Called with `targets` of a codec and `outputs` of a network, it returns `{"focal", "pull", "push",
    "offset"}`: scalars, weighted, that add up to the loss.

    Source: Law & Deng 2018, eq. 6; `AELoss` of princeton-vl/CornerNet, `models/py_utils/kp.py`.
    """

    pull_weight: float = 0.1
    push_weight: float = 0.1
    offset_weight: float = 1.0
    offset_beta: float = 1.0
    embedding_batch: int | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the terms."""
        return ("focal", "pull", "push", "offset")

    def __call__(self, targets: dict, outputs: list) -> dict:
        total = dict.fromkeys(self.names, 0.0)
        for stack in outputs:
            for name, value in self._stack_terms(targets, stack).items():
                total[name] = total[name] + value / len(outputs)
        return total

    def _stack_terms(self, targets, stack):
        focal, offset, embeddings = 0.0, 0.0, []
        for branch, heads in stack.items():
            target = targets[branch]
            mask = targets.get("heatmap_mask")
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
