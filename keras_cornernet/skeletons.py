"""Joint names, limbs and left-right pairs of the pose data sets MPII, LSP, COCO, FLIC and Animal Pose.

Left and right are the person's own: the right wrist of someone who faces the camera is on the left of the
image.
"""

from dataclasses import dataclass, replace
from itertools import chain
from math import inf
from numbers import Integral, Real
from typing import Any


@dataclass(frozen=True)
class Skeleton:
    """The joints of one pose data set, in the order its annotations list them.

    Attributes:
        name: short name of the data set.
        joints: one name for each joint, such as `"right_ankle"`.
        limbs: pairs of joint indices that drawings connect by a line.
        flip_pairs: pairs of joint indices that are exchanged when the image is mirrored.
        sigmas: one constant for each joint for object keypoint similarity, as a fraction of the object's
            scale, or None. The `k` of COCO's formula is `2 * sigma`.
        torso: the shoulder and the hip whose distance is the unit of PCK. The evaluations of the data sets
            use different diagonals. A skeleton without these joints has no such unit, see `has_torso`.

    Raises:
        ValueError: a joint name is not a text or occurs twice, a pair is not one of joint indices, a joint is
            in two flip pairs, there are not as many sigmas as joints, or a field is of another type.
    """

    name: str
    joints: tuple[str, ...]
    limbs: tuple[tuple[int, int], ...]
    flip_pairs: tuple[tuple[int, int], ...]
    sigmas: tuple[float, ...] | None = None
    torso: tuple[str, str] = ("left_shoulder", "right_hip")

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise ValueError(f"name: expected a text, got {self.name!r}")
        for field in ("joints", "limbs", "flip_pairs", "torso"):
            if not isinstance(getattr(self, field), tuple | list):
                raise ValueError(f"{field}: expected a tuple, got {getattr(self, field)!r}")
        count = len(self.joints)
        if not all(isinstance(joint, str) for joint in self.joints) or len(set(self.joints)) != count:
            raise ValueError(f"joints: expected different texts, got {self.joints!r}")
        for field, pairs in (("limbs", self.limbs), ("flip_pairs", self.flip_pairs)):
            for pair in pairs:
                if not _is_pair(pair, count):
                    raise ValueError(f"{field}: {pair!r} is not a pair of two joint indices below {count}")
        paired = list(chain.from_iterable(self.flip_pairs))
        if len(set(paired)) != len(paired):
            raise ValueError(f"flip_pairs: a joint is in two pairs of {self.flip_pairs!r}")
        if self.sigmas is not None and not _are_sigmas(self.sigmas, count):
            raise ValueError(
                f"sigmas: expected a number above 0 for each of {count} joints, got {self.sigmas!r}"
            )
        if len(self.torso) != 2 or not all(isinstance(joint, str) for joint in self.torso):
            raise ValueError(f"torso: expected the names of two joints, got {self.torso!r}")

    def replace(self, **changes: Any) -> "Skeleton":
        """Makes a copy with other values in some fields.

        Args:
            changes: new values by field name.
        """
        return replace(self, **changes)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the joints."""
        return self.joints

    @property
    def has_torso(self) -> bool:
        """Whether both ends of `torso` are joints of this skeleton."""
        return all(joint in self.joints for joint in self.torso)

    @property
    def can_be_mirrored(self) -> bool:
        """Whether it is known which joints trade places in a mirror image: some do, or there is one alone."""
        return bool(self.flip_pairs) or len(self.joints) < 2

    @property
    def flip_order(self) -> tuple[int, ...]:
        """For each joint the index it has after mirroring: `mirrored_points[:, list(flip_order)]`."""
        order = list(range(len(self.joints)))
        for a, b in self.flip_pairs:
            order[a], order[b] = b, a
        return tuple(order)


def _is_pair(pair: Any, count: int) -> bool:
    return (
        isinstance(pair, tuple | list)
        and len(pair) == 2
        and all(isinstance(joint, Integral) and not isinstance(joint, bool) for joint in pair)
        and pair[0] != pair[1]
        and all(0 <= joint < count for joint in pair)
    )


def _are_sigmas(values: Any, count: int) -> bool:
    return (
        isinstance(values, tuple | list)
        and len(values) == count
        and all(isinstance(value, Real) and 0 < float(value) < inf for value in values)
    )


# Andriluka et al. 2014. The sigmas are those of MMPose; MPII itself scores by PCKh.
MPII = Skeleton(
    name="mpii",
    joints=(
        "right_ankle",
        "right_knee",
        "right_hip",
        "left_hip",
        "left_knee",
        "left_ankle",
        "pelvis",
        "thorax",
        "upper_neck",
        "head_top",
        "right_wrist",
        "right_elbow",
        "right_shoulder",
        "left_shoulder",
        "left_elbow",
        "left_wrist",
    ),
    limbs=(
        *((0, 1), (1, 2), (2, 6), (6, 3), (3, 4), (4, 5)),
        *((6, 7), (7, 8), (8, 9)),
        *((8, 12), (12, 11), (11, 10), (8, 13), (13, 14), (14, 15)),
    ),
    flip_pairs=((0, 5), (1, 4), (2, 3), (10, 15), (11, 14), (12, 13)),
    sigmas=(
        *(0.089, 0.083, 0.107, 0.107, 0.083, 0.089),
        *(0.026, 0.026, 0.026, 0.026),
        *(0.062, 0.072, 0.179, 0.179, 0.072, 0.062),
    ),
)

# Johnson & Everingham 2010. The sigmas are COCO's for the limbs and CrowdPose's for neck and head top.
LSP = Skeleton(
    name="lsp",
    joints=(
        "right_ankle",
        "right_knee",
        "right_hip",
        "left_hip",
        "left_knee",
        "left_ankle",
        "right_wrist",
        "right_elbow",
        "right_shoulder",
        "left_shoulder",
        "left_elbow",
        "left_wrist",
        "neck",
        "head_top",
    ),
    limbs=(
        *((0, 1), (1, 2), (3, 4), (4, 5), (2, 3)),
        *((2, 8), (3, 9), (8, 12), (9, 12), (12, 13)),
        *((6, 7), (7, 8), (9, 10), (10, 11)),
    ),
    flip_pairs=((0, 5), (1, 4), (2, 3), (6, 11), (7, 10), (8, 9)),
    sigmas=(
        *(0.089, 0.087, 0.107, 0.107, 0.087, 0.089),
        *(0.062, 0.072, 0.079, 0.079, 0.072, 0.062),
        *(0.079, 0.079),
    ),
)

# Lin et al. 2014; limbs as the `skeleton` of its category, sigmas as its evaluation code.
COCO = Skeleton(
    name="coco",
    joints=(
        "nose",
        "left_eye",
        "right_eye",
        "left_ear",
        "right_ear",
        "left_shoulder",
        "right_shoulder",
        "left_elbow",
        "right_elbow",
        "left_wrist",
        "right_wrist",
        "left_hip",
        "right_hip",
        "left_knee",
        "right_knee",
        "left_ankle",
        "right_ankle",
    ),
    limbs=(
        *((15, 13), (13, 11), (16, 14), (14, 12), (11, 12)),
        *((5, 11), (6, 12), (5, 6), (5, 7), (6, 8), (7, 9), (8, 10)),
        *((1, 2), (0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6)),
    ),
    flip_pairs=((1, 2), (3, 4), (5, 6), (7, 8), (9, 10), (11, 12), (13, 14), (15, 16)),
    sigmas=(
        *(0.026, 0.025, 0.025, 0.035, 0.035),
        *(0.079, 0.079, 0.072, 0.072, 0.062, 0.062),
        *(0.107, 0.107, 0.087, 0.087, 0.089, 0.089),
    ),
)

# Sapp & Taskar 2013, upper bodies alone. The sigmas are COCO's; FLIC itself scores by PCK.
FLIC = Skeleton(
    name="flic",
    joints=(
        "left_shoulder",
        "left_elbow",
        "left_wrist",
        "right_shoulder",
        "right_elbow",
        "right_wrist",
        "left_hip",
        "right_hip",
        "left_eye",
        "right_eye",
        "nose",
    ),
    limbs=(
        *((0, 1), (1, 2), (3, 4), (4, 5)),
        *((0, 3), (0, 6), (3, 7), (6, 7)),
        *((10, 0), (10, 3), (10, 8), (10, 9)),
    ),
    flip_pairs=((0, 3), (1, 4), (2, 5), (6, 7), (8, 9)),
    sigmas=(
        *(0.079, 0.072, 0.062, 0.079, 0.072, 0.062),
        *(0.107, 0.107),
        *(0.025, 0.025, 0.026),
    ),
    torso=("right_shoulder", "left_hip"),
)

# Cao et al. 2019 (Animal Pose), in the order of its COCO json. It scores by the longer side of the box.
ANIMAL_POSE = Skeleton(
    name="animal_pose",
    joints=(
        *("left_eye", "right_eye", "nose", "left_ear", "right_ear"),
        *("left_front_elbow", "right_front_elbow", "left_back_elbow", "right_back_elbow"),
        *("left_front_knee", "right_front_knee", "left_back_knee", "right_back_knee"),
        *("left_front_paw", "right_front_paw", "left_back_paw", "right_back_paw"),
        *("throat", "withers", "tailbase"),
    ),
    limbs=(
        *((0, 1), (0, 2), (1, 2), (0, 3), (1, 4), (2, 17)),
        *((17, 18), (18, 19)),
        *((17, 5), (5, 9), (9, 13), (17, 6), (6, 10), (10, 14)),
        *((19, 7), (7, 11), (11, 15), (19, 8), (8, 12), (12, 16)),
    ),
    flip_pairs=((0, 1), (3, 4), (5, 6), (7, 8), (9, 10), (11, 12), (13, 14), (15, 16)),
)

SKELETONS = {skeleton.name: skeleton for skeleton in (MPII, LSP, COCO, FLIC, ANIMAL_POSE)}
