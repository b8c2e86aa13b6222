"""A runtime whose file gives maps, with the decoding that the file leaves to the program."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_cornernet.export.decoding.boxes import decode_boxes
from keras_cornernet.export.decoding.poses import decode_pose
from keras_cornernet.export.runtimes import Answers, Runtime


class DecodedMaps:
    """Answers of a file with raw maps, in pixels of the network's input.

    Args:
        runtime: of the file, whose description has been checked.
    """

    def __init__(self, runtime: Runtime):
        self.description = runtime.description
        self._runtime, self._settings = runtime, runtime.description.raw

    def run(self, images: np.ndarray) -> Answers:
        """See `Runtime.run`."""
        maps = self._numbers(self._runtime.run(images))
        answers = [
            self._decoded({name: values[i] for name, values in maps.items()}) for i in range(len(images))
        ]
        if self._settings["kind"] == "keypoints":
            return {
                name: np.stack([one[k] for one in answers]) for k, name in enumerate(("keypoints", "scores"))
            }
        return _padded(answers)

    def _numbers(self, maps: Answers) -> Answers:
        scales: Mapping[str, Any] = self._settings.get("quantization", {})
        return {
            name: (values.astype(np.float32) - scales[name][1]) * np.float32(scales[name][0])
            if name in scales
            else values
            for name, values in maps.items()
        }

    def _decoded(self, maps: Answers) -> tuple[np.ndarray, ...]:
        decode: Any = decode_pose if self._settings["kind"] == "keypoints" else decode_boxes
        answers: tuple[np.ndarray, ...] = decode(maps, self._settings, self.description.input_size)
        return answers


def _padded(answers: list[tuple[np.ndarray, ...]]) -> Answers:
    """Boxes, scores and labels of each image, padded to equal numbers."""
    counts = np.array([len(scores) for _, scores, _ in answers], np.int32)
    most = int(counts.max(initial=0))
    boxes, scores = np.zeros((len(counts), most, 4), np.float32), np.zeros((len(counts), most), np.float32)
    labels = np.full((len(counts), most), -1, np.int32)
    for i, (count, found) in enumerate(zip(counts, answers, strict=True)):
        boxes[i, :count], scores[i, :count], labels[i, :count] = found
    return {"boxes": boxes, "scores": scores, "labels": labels, "num_detections": counts}
