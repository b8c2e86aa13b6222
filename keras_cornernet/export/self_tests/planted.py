"""An exported model whose pictures go wrong on their way to the network."""

from collections.abc import Callable
from typing import Any

import numpy as np

from keras_cornernet.export.precisions import PRECISIONS
from keras_cornernet.export.runtimes import Answers, Runtime
from keras_cornernet.export.self_tests.faults import Fault

Plain = dict[str, np.ndarray]
"""Answers for one picture by name: `boxes`, `scores`, `labels`, or `keypoints`, `scores`; in its pixels."""


class Changed:
    """A runtime that is given other numbers than it was called with.

    Args:
        runtime: of the file.
        change: of `(batch, height, width, 3)` float32 images.
    """

    def __init__(self, runtime: Runtime, change: Callable[[np.ndarray], np.ndarray]):
        self._runtime, self._change = runtime, change
        self.description = runtime.description
        self._bytes = PRECISIONS[self.description.precision].whole_numbers

    def run(self, images: np.ndarray) -> Answers:
        """See `Runtime.run`."""
        changed = self._change(images.astype(np.float32))
        # What a program would get that stores such numbers in bytes.
        return self._runtime.run(np.clip(np.rint(changed), 0, 255) if self._bytes else changed)


def plain_answers(exported: Any, picture: np.ndarray) -> Plain:
    """What an opened file answers for a picture, as it should be asked."""
    (result,) = exported.predict(picture, **exported.everything)
    plain: Plain = exported.plain(result)
    return plain


def with_fault(exported: Any, fault: Fault) -> Callable[[np.ndarray], Plain]:
    """A function that answers for a picture as a program with this fault would.

    Args:
        exported: the opened file.
        fault: the mistake.
    """
    if fault.place is None:
        assert fault.pixels is not None
        return changed(exported, fault.pixels)

    def answer(picture: np.ndarray) -> Plain:
        assert fault.place is not None
        view = exported.view(picture.shape[:2])
        found = plain_answers(exported, fault.place(picture, view))
        for name, back in (("boxes", view.boxes_to_image), ("keypoints", view.points_to_image)):
            if name in found:
                found[name] = back(found[name])
        return found

    return answer


def changed(exported: Any, change: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], Plain]:
    """A function that answers for a picture, and whose file is given changed images."""
    other = type(exported)(Changed(exported.runtime, change))
    return lambda picture: plain_answers(other, picture)
