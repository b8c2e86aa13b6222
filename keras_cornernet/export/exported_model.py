"""What all models in exported files share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from keras_cornernet.export.description import Description
from keras_cornernet.export.runtimes import Runtime
from keras_cornernet.inference.timing import Stopwatch
from keras_cornernet.preprocessing import Size, View, fit_view, stretch_view
from keras_cornernet.structures import Provenance

if TYPE_CHECKING:
    from keras_cornernet.export.self_tests.running import SelfTestResult


class Exported:
    """A model in an exported file.

    Attributes:
        runtime: runs the file.
        description: what the file states about itself.
    """

    def __init__(self, runtime: Runtime):
        self.runtime = runtime
        self.description: Description = runtime.description

    @property
    def provenance(self) -> Provenance:
        """See `Model.provenance`."""
        return Provenance.from_json(self.description.provenance)

    def with_settings(self, **changes: Any) -> Self:
        """Raises, because the settings of an exported file are fixed.

        Raises:
            ValueError: always.
        """
        names = ", ".join(changes)
        raise ValueError(f"{names} cannot be changed in an exported model: choose it when you export")

    def check_flip(self, flip: bool | None) -> None:
        """Raises `ValueError` if the mirror image is asked for: its use is fixed in the file."""
        if flip:
            self.with_settings(flip=flip)

    @property
    def takes(self) -> Size:
        """`(height, width)` of the images that the file takes, or into which it fits pictures of any size.

        Raises:
            ValueError: the file does not state it.
        """
        size = self.description.image_size or self.description.input_size
        if size is None:
            raise ValueError("the file does not state the size of the network's input")
        return size

    def view(self, picture_size: Size) -> View:
        """How a picture of `(height, width)` is fitted into the images that the file takes."""
        fitted = stretch_view if self.description.fit == "stretch" else fit_view
        return fitted(picture_size, self.takes)

    def self_test(self, answer: Callable[[np.ndarray], Mapping[str, Any]] | None = None) -> SelfTestResult:
        """Whether this runtime, or a program of one's own, gives the answers that the file must give.

        Args:
            answer: from a picture `(height, width, 3)` uint8 RGB to `boxes` `(n, 4)` `xyxy`, `scores` `(n,)`
                and `labels` `(n,)`, or to `keypoints` `(k, 2)` and `scores` `(k,)`, in pixels of the picture.
                It may ask a server or an app. None tests the runtime here.

        Raises:
            ValueError: the file has no self-test, or `answer` returns something else.
        """
        from keras_cornernet.export.self_tests.running import run_self_test

        return run_self_test(self, answer)

    def answers(self, image: np.ndarray, graph: Stopwatch) -> tuple[dict[str, np.ndarray], View | None]:
        """Runs the file on one image.

        Args:
            image: `(height, width, 3)` uint8 RGB; fitted into the size that the file takes.
            graph: measures the time in the runtime.

        Returns:
            The answers by name, without their batch axis, in pixels of the image that the file was given; and
            the view of that image if it had to be fitted, else None.
        """
        size, view = self.description.image_size, None
        if size is not None and image.shape[:2] != size:
            view = self.view(image.shape[:2])
        shown = image if view is None else view.apply(image)
        with graph:
            answers = self.runtime.run(shown[None])
        return {name: value[0] for name, value in answers.items()}, view


def arrays_of(plain: Mapping[str, Any], name: str) -> np.ndarray:
    """One of the arrays of plain answers.

    Raises:
        ValueError: it is missing.
    """
    if name not in plain:
        raise ValueError(f"answers must hold {name!r}, and they hold {', '.join(plain) or 'nothing'}")
    return np.asarray(plain[name])
