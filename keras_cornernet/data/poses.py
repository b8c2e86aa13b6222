"""Training examples with joints: one person at a time, cropped and augmented."""

import logging
from dataclasses import replace

import numpy as np

from keras_cornernet.data.color import augment_color
from keras_cornernet.data.image_store import ImageStore
from keras_cornernet.data.pose_augmentation import PoseAugmentation
from keras_cornernet.ops.affine import transform_points
from keras_cornernet.preprocessing import Size, View, person_view
from keras_cornernet.skeletons import Skeleton
from keras_cornernet.structures import OnProblem, Person, PoseDataset

log = logging.getLogger(__name__)


class PersonLoader:
    """Reads, crops and augments one person of a data set.

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
        height, width = input_size
        self.input_size: Size = (height, width)
        self.augmentation = _with_known_sides(augmentation, self.skeleton)
        self.seed = seed
        self.images = ImageStore(pose_dataset.paths, pose_dataset.sizes, cache_bytes, on_problem)

    @property
    def annotations(self) -> dict[str, tuple[tuple[int, ...], type]]:
        """Shape and type of each annotation of one person."""
        k = len(self.skeleton.joints)
        return {"keypoints": ((k, 2), np.float32), "keypoint_weights": ((k,), np.float32)}

    def load(self, epoch: int, index: int) -> tuple[np.ndarray, ...]:
        """Makes one training example.

        Args:
            epoch: the number of the pass over the data.
            index: of the person. One whose image cannot be used is replaced by the next one.

        Returns:
            The image, `(height, width, 3)` float32, keypoints `(k, 2)` float32 in input pixels, and their
            weights `(k,)` float32, 1 for joints that are annotated and 0 for others.
        """
        index, image = self.images.first_usable(index)
        person = self.people[index]
        rng = np.random.default_rng([self.seed, epoch, index])
        if self.augmentation is None:
            view, mirrored = person_view(person.center, person.side, self.input_size), False
        else:
            view, mirrored = self.augmentation.draw(person.center, person.side, self.input_size, rng)
        shown = view.apply(image)
        if self.augmentation is not None:
            shown = augment_color(
                shown, rng, jitter=self.augmentation.jitter, lighting=self.augmentation.lighting
            )
            shown = np.clip(shown * rng.uniform(*self.augmentation.gain, 3), 0, 255)
        return (shown.astype(np.float32), *self._joints(person, view, mirrored))

    def _joints(self, person: Person, view: View, mirrored: bool) -> tuple[np.ndarray, np.ndarray]:
        points = transform_points(view.input_from_image, person.keypoints).astype(np.float32)
        weights = (person.visibility > 0).astype(np.float32)
        if mirrored:
            order = list(self.skeleton.flip_order)
            points, weights = points[order], weights[order]
        return points * weights[:, None], weights


def _with_known_sides(augmentation: PoseAugmentation | None, skeleton: Skeleton) -> PoseAugmentation | None:
    """The augmentation, without mirror images if the left-right pairs of several joints are not known."""
    if augmentation is None or not augmentation.flip or skeleton.flip_pairs or len(skeleton.joints) < 2:
        return augmentation
    log.warning(
        "the names of the joints (%s) show no left-right pairs, so mirror images are not used",
        ", ".join(skeleton.joints[:8]),
    )
    return replace(augmentation, flip=0.0)
