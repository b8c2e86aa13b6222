"""A runtime whose file gives what MediaPipe wants, brought into the form of other exports."""

import numpy as np

from keras_cornernet.export.runtimes import Answers, Runtime


class ForMediaPipe:
    """Answers of a file for MediaPipe: boxes in pixels of its images.

    Args:
        runtime: of the file.
    """

    def __init__(self, runtime: Runtime):
        self.description = runtime.description
        self._runtime = runtime

    def run(self, images: np.ndarray) -> Answers:
        """See `Runtime.run`."""
        found = self._runtime.run(images)
        height, width = images.shape[1:3]
        pixels = np.array([width, height] * 2, np.float32)
        return {
            "boxes": found["location"][..., [1, 0, 3, 2]] * pixels,
            "scores": found["score"],
            "labels": found["category"].astype(np.int32),
            "num_detections": found["number of detections"].astype(np.int32).reshape(-1),
        }
