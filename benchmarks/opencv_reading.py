"""The peers of `input_pipeline.py`: the same work with OpenCV alone, on threads, and in a torch `DataLoader`.

A file is read and decoded, placed by one affine map of about the size that our augmentations draw, and its
colours are changed by one matrix. Nothing is padded, nothing is shrunk without aliasing, and boxes or joints
are moved by one product.
"""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np


class OpenCVExamples:
    """The examples by index, as a torch data set has them.

    Args:
        paths: of the images.
        points: `(k, 2)` for each image.
        mosaic: probability that four files are read and share the input.
        centers, zooms: the point that comes to the middle, and input pixels per image pixel.
        input_size: `(height, width)`.
    """

    def __init__(self, paths, points, centers, zooms, input_size, mosaic=0.0):
        self.paths, self.points, self.centers, self.zooms = paths, points, centers, zooms
        self.input_size, self.mosaic = input_size, mosaic

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        cv2.setNumThreads(1)
        rng = np.random.default_rng([0, 1, index])
        rows, columns = self.input_size
        if rng.random() < self.mosaic:
            shown, points = np.empty((rows, columns, 3), np.uint8), []
            for i, other in enumerate([index, *rng.integers(len(self), size=3)]):
                height, width = rows // 2, columns // 2
                top, left = i // 2 * height, i % 2 * width
                shown[top : top + height, left : left + width], moved = self._placed(
                    other, (height, width), rng
                )
                points.append(moved)
            points = np.concatenate(points)
        else:
            shown, points = self._placed(index, (rows, columns), rng)
        mixed = np.eye(3) * rng.uniform(0.7, 1.3) + rng.uniform(-0.05, 0.05, (3, 3))
        color = np.hstack([mixed, rng.uniform(-20, 20, (3, 1))]).astype(np.float32)
        padded = np.zeros((4 * len(self.points[0]), 2), np.float32)
        padded[: len(points)] = points
        return cv2.transform(shown, color).astype(np.float32), padded

    def _placed(self, index, size, rng):
        data = np.fromfile(self.paths[index], np.uint8)
        image = cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
        zoom = self.zooms[index] * rng.uniform(0.75, 1.4)
        rows, columns = size
        move = np.array([columns / 2, rows / 2]) - zoom * self.centers[index] + rng.uniform(-20, 20, 2)
        affine = np.array([[zoom, 0, move[0]], [0, zoom, move[1]]])
        shown = cv2.warpAffine(image, affine, (columns, rows), flags=cv2.INTER_LINEAR)
        return shown, self.points[index] * zoom + move


def on_threads(examples, threads=2):
    """A function that makes all examples once, in a pool of threads."""
    pool = ThreadPoolExecutor(threads)

    def run():
        for _ in pool.map(examples.__getitem__, range(len(examples))):
            pass

    return run


def in_data_loader(examples, batch_size, workers=2):
    """A function that makes all examples once, in a `DataLoader` of worker processes; None without torch."""
    try:
        from torch.utils.data import DataLoader
    except ImportError:
        return None
    # Started anew, since a process with TensorFlow's threads cannot be forked safely.
    loader = DataLoader(
        examples,
        batch_size=batch_size,
        shuffle=True,
        drop_last=True,
        num_workers=workers,
        persistent_workers=True,
        multiprocessing_context="spawn",
    )

    def run():
        for _ in loader:
            pass

    return run
