"""Training examples with joints: one person at a time, cropped and augmented."""

import logging
from dataclasses import replace

import numpy as np

from keras_cornernet.data.draws import Draw, color_of
from keras_cornernet.data.loader import Loader
from keras_cornernet.data.pose_augmentation import PoseAugmentation
from keras_cornernet.ops.affine import transform_points
from keras_cornernet.preprocessing import Size, View, person_view
from keras_cornernet.skeletons import Skeleton
from keras_cornernet.structures import OnProblem, Person, PoseDataset

log = logging.getLogger(__name__)


class PersonLoader(Loader):
    """Draws, crops and annotates one person of a data set.

    Args:
        pose_dataset: what a reader returned.
        input_size: `(height, width)` of the network's input.
        augmentation: of the person, or None for the annotated square as it is.
        seed: every random draw follows from it, the epoch and the person's index.
        cache_bytes: decoded images are kept in memory up to this size.
        on_problem: called once for each image that cannot be used, see `ImageStore`.
    """

    def __init__(
        self,
        pose_dataset: PoseDataset,
        input_size: Size,
        *,
        augmentation: PoseAugmentation | None = None,
        seed: int = 0,
        cache_bytes: int = 2**30,
        on_problem: OnProblem | None = None,
    ):
        self.people = pose_dataset.people
        self.skeleton = pose_dataset.skeleton
        augmentation = _with_known_sides(augmentation, self.skeleton)
        super().__init__(pose_dataset, input_size, augmentation, seed, cache_bytes, on_problem)
        self.clips_colors = augmentation is not None

    @property
    def annotations(self) -> dict[str, tuple[tuple[int, ...], type]]:
        """Shape and type of each annotation of one person.

        Keypoints `(k, 2)` are float32 in input pixels, and their weights `(k,)` are 1 for joints that are
        annotated and 0 for others.
        """
        k = len(self.skeleton.joints)
        return {"keypoints": ((k, 2), np.float32), "keypoint_weights": ((k,), np.float32)}

    def draw(self, epoch: int, index: int, *, progress: float = 0.0, input_size: Size | None = None) -> Draw:
        """Draws a person in numbers, see `Loader.draw`."""
        input_size = input_size or self.input_size
        index = self.images.usable(index)
        person, augmentation = self.people[index], self.augmentation
        if augmentation is None:
            return Draw((index,), (person_view(person.center, person.side, input_size),))
        rng = np.random.default_rng([self.seed, epoch, index])
        view, mirrored = augmentation.draw(person.center, person.side, input_size, rng)
        color = color_of(augmentation, rng)
        hidden = augmentation.draw_hidden(input_size, rng) if hasattr(augmentation, "draw_hidden") else None
        return Draw((index,), (view,), color, mirrored=mirrored, hidden=hidden)

    def annotate(self, draw: Draw) -> tuple[np.ndarray, np.ndarray]:
        """The joints of a draw and their weights, see `annotations`."""
        person, (view,) = self.people[draw.indices[0]], draw.views
        return self._joints(person, view, draw.mirrored)

    def _joints(self, person: Person, view: View, mirrored: bool) -> tuple[np.ndarray, np.ndarray]:
        points = transform_points(view.input_from_image, person.keypoints).astype(np.float32)
        weights = (person.visibility > 0).astype(np.float32)
        if mirrored:
            order = list(self.skeleton.flip_order)
            points, weights = points[order], weights[order]
        return points * weights[:, None], weights


def _with_known_sides(augmentation: PoseAugmentation | None, skeleton: Skeleton) -> PoseAugmentation | None:
    """The augmentation, without mirror images if the left-right pairs of several joints are not known."""
    if augmentation is None or not augmentation.flip or skeleton.can_be_mirrored:
        return augmentation
    log.warning(
        "the names of the joints (%s) show no left-right pairs, so mirror images are not used",
        ", ".join(skeleton.joints[:8]),
    )
    return replace(augmentation, flip=0.0)
