"""One person followed, against a detector in every frame: `python benchmarks/following.py`.

Clips are drawn: a person who moves, with noise as of a camera, whose joints are known. Both sides read the
same frames with the same pose network. Without following, the detector finds the person in each frame, and
joints are taken as they come; with it, the square comes from the joints of the frame before, and they are
smoothed.

- jitter: standard deviation of how joints move from frame to frame, less how they truly move, pixels.
- typical: the same by the median, which rare jumps do not touch.
- lag: the shift in time at which joints agree best with the truth, frames.
- PCK: fraction of joints nearer to the truth than 0.2 of the torso, from left shoulder to right hip.
- detector: fraction of the frames in which it was asked.

`--pose` and `--detector` take any model or exported file; `--noise`, `--clips` and `--frames` other clips.
"""

import argparse

import numpy as np
from tensorflow_side import tf  # noqa: F401  (sets the threads before TensorFlow starts)

from keras_cornernet.data.scenes import draw_clip
from keras_cornernet.evaluation.motion import jitter, lag, typical_jitter
from keras_cornernet.evaluation.pck import pck, torso_size
from keras_cornernet.inference.followed_video import person_follower
from keras_cornernet.inference.following import FollowingConfig
from keras_cornernet.skeletons import LSP
from keras_cornernet.tasks import load_model


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pose", default="hourglass_people")
    parser.add_argument("--detector", default="cornernet_people")
    parser.add_argument("--clips", type=int, default=16)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--noise", type=float, default=8.0)
    parser.add_argument("--seed", type=int, default=0, help="of the first clip")
    options = parser.parse_args()
    pose, detector = load_model(options.pose), load_model(options.detector)
    seeds = range(options.seed, options.seed + options.clips)
    clips = [draw_clip(seed, options.frames, noise=options.noise) for seed in seeds]
    sides = measure(pose, detector, clips)
    print(f"{options.clips} clips of {options.frames} frames, noise {options.noise:g}\n")
    print("| | " + " | ".join(next(iter(sides.values()))) + " |\n|---|" + "---:|" * 5)
    for name, row in sides.items():
        print(f"| {name} | " + " | ".join(f"{value:.3f}" for value in row.values()) + " |")


def measure(pose, detector, clips):
    """The figures of both sides: `{side: {figure: value}}`."""
    truth = [clip.keypoints for clip in clips]
    alone = FollowingConfig(min_score=0)
    each, followed, asked = [], [], 0
    for clip in clips:
        times = np.arange(len(clip.images)) / clip.rate
        # A follower for each frame: the detector is asked, and there is nothing to smooth.
        each.append(joints_of(clip, times, lambda: person_follower(pose, detector, alone), new=True))
        follower = person_follower(pose, detector)
        followed.append(joints_of(clip, times, lambda follower=follower: follower, new=False))
        asked += follower.detections
    frames = sum(len(clip.images) for clip in clips)
    return {
        "detector in each frame": {**figures(each, truth), "detector": 1.0},
        "followed": {**figures(followed, truth), "detector": asked / frames},
    }


def joints_of(clip, times, follower, *, new):
    """`(frames, k, 2)` joints that are found; where nobody is, those of the frame before."""
    kept, found = follower(), []
    for image, seconds in zip(clip.images, times, strict=True):
        person = (follower() if new else kept).next(image, seconds)
        before = found[-1] if found else np.zeros_like(clip.keypoints[0])
        found.append(before if person is None else person.keypoints)
    return np.array(found)


def figures(found, truth):
    """Jitter, lag and PCK of clips, see above."""
    joints, true = np.concatenate(found), np.concatenate(truth)
    known = np.ones(joints.shape[:2], bool)
    fractions, counts = pck(joints, true, known, torso_size(true, known, LSP), 0.2)
    return {
        "jitter": jitter(found, truth),
        "typical": typical_jitter(found, truth),
        "lag": lag(found, truth),
        "PCK": (fractions * counts).sum() / counts.sum(),
    }


if __name__ == "__main__":
    main()
