import pytest

from keras_cornernet.skeletons import ANIMAL_POSE, COCO, FLIC, LSP, MPII

ALL = [MPII, LSP, COCO, FLIC, ANIMAL_POSE]


def opposite(joint):
    if joint.startswith("left_"):
        return "right_" + joint.removeprefix("left_")
    if joint.startswith("right_"):
        return "left_" + joint.removeprefix("right_")
    return joint


def test_joint_orders_are_those_of_the_data_sets():
    assert [len(skeleton.joints) for skeleton in ALL] == [16, 14, 17, 11, 20]
    assert MPII.joints[6:10] == ("pelvis", "thorax", "upper_neck", "head_top")
    assert LSP.joints[0] == "right_ankle" and LSP.joints[12:] == ("neck", "head_top")
    assert COCO.joints[0] == "nose" and COCO.joints[16] == "right_ankle"


@pytest.mark.parametrize("skeleton", ALL, ids=lambda s: s.name)
def test_flip_pairs_agree_with_the_joint_names(skeleton):
    assert [skeleton.joints[i] for i in skeleton.flip_order] == [opposite(j) for j in skeleton.joints]


@pytest.mark.parametrize("skeleton", ALL, ids=lambda s: s.name)
def test_limbs_connect_all_joints_and_mirror_onto_themselves(skeleton):
    limbs = {frozenset(limb) for limb in skeleton.limbs}
    assert len(limbs) == len(skeleton.limbs)
    assert {frozenset(skeleton.flip_order[i] for i in limb) for limb in limbs} == limbs
    reached = {0}
    for _ in skeleton.joints:
        reached |= {i for limb in limbs if limb & reached for i in limb}
    assert reached == set(range(len(skeleton.joints)))


def test_mpii_flip_order():
    assert MPII.flip_order == (5, 4, 3, 2, 1, 0, 6, 7, 8, 9, 15, 14, 13, 12, 11, 10)


def test_coco_sigmas_are_those_of_pycocotools():
    from pycocotools.cocoeval import Params

    assert COCO.sigmas == pytest.approx(Params("keypoints").kpt_oks_sigmas)


@pytest.mark.parametrize("skeleton", [MPII, LSP, COCO, FLIC], ids=lambda s: s.name)
def test_sigmas_are_the_same_on_both_sides(skeleton):
    assert tuple(skeleton.sigmas[i] for i in skeleton.flip_order) == skeleton.sigmas
