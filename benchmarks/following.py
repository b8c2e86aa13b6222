"""One person followed, against a detector in every frame: `python benchmarks/following.py`.

Clips are drawn: a person who moves, with noise as of a camera, whose joints are known. Both sides read the
same frames with the same pose network. Without following, the detector finds the person in each frame, and
joints are taken as they come; with it, the square comes from the joints of the frame before, and they are
smoothed.

- jitter: standard deviation of how joints move from frame to frame, less how they truly move, pixels.
- typical: the same by the median, which rare jumps do not touch.
- lag: the shift in time at which joints agree best with the truth, frames.
- PCK: fraction of joints nearer to the truth than 0.2 of the torso.
- detector: fraction of the frames in which it was asked.

`--pose` and `--detector` take any model or exported file; `--noise`, `--clips` and `--frames` other clips.
"""

import argparse

import numpy as np
from tensorflow_side import tf  # noqa: F401  (sets the threads before TensorFlow starts)

from keras_cornernet.data.scenes import draw_clip
from keras_cornernet.evaluation.pck import pck
from keras_cornernet.inference.following import FollowingConfig, person_follower
from keras_cornernet.skeletons import LSP
from keras_cornernet.tasks import load_model

LAGS = np.arange(-1, 3.01, 0.05)
TORSO = [LSP.joints.index(name) for name in ("right_hip", "left_hip", "right_shoulder", "left_shoulder")]
SMALLEST_TORSO = 15  # pixels, of people who bend towards the camera


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pose", default="hourglass_people")
    parser.add_argument("--detector", default="cornernet_people")
    parser.add_argument("--clips", type=int, default=16)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--noise", type=float, default=8.0)
    options = parser.parse_args()
    pose, detector = load_model(options.pose), load_model(options.detector)
    clips = [draw_clip(seed, options.frames, noise=options.noise) for seed in range(options.clips)]
    sides = measure(pose, detector, clips)
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
    errors = [mine - true for mine, true in zip(found, truth, strict=True)]
    steps = np.concatenate([np.diff(error, axis=0).ravel() for error in errors])
    joints, true = np.concatenate(found), np.concatenate(truth)
    hips, shoulders = true[:, TORSO[:2]].mean(axis=1), true[:, TORSO[2:]].mean(axis=1)
    torso = np.maximum(np.linalg.norm(shoulders - hips, axis=-1), SMALLEST_TORSO)
    fractions, counts = pck(joints, true, np.ones(joints.shape[:2], bool), torso, 0.2)
    return {
        "jitter": steps.std(),
        "typical": 1.4826 * np.median(np.abs(steps)),
        "lag": lag_of(found, truth),
        "PCK": (fractions * counts).sum() / counts.sum(),
    }


def lag_of(found, truth):
    """The shift in frames at which joints lie nearest to the truth on average."""
    apart = []
    for lag in LAGS:
        distances = []
        for mine, true in zip(found, truth, strict=True):
            at = np.arange(len(true), dtype=np.float64)
            inner = slice(4, -2)  # where the shifted frames are there
            columns = true.reshape(len(true), -1).T
            shifted = np.stack([np.interp(at - lag, at, column) for column in columns], axis=1)
            shifted = shifted.reshape(true.shape)
            distances.append(np.abs(mine - shifted)[inner].mean())
        apart.append(np.mean(distances))
    return float(LAGS[int(np.argmin(apart))])


if __name__ == "__main__":
    main()
