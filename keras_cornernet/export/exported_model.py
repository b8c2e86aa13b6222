"""What all models in exported files share."""

from typing import Any, Self

import numpy as np

from keras_cornernet.export.description import Description
from keras_cornernet.export.runtimes import Runtime
from keras_cornernet.inference.timing import Stopwatch
from keras_cornernet.preprocessing import View, fit_view
from keras_cornernet.structures import Provenance


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
            view = fit_view(image.shape[:2], size)
        shown = image if view is None else view.apply(image)
        with graph:
            answers = self.runtime.run(shown[None])
        return {name: value[0] for name, value in answers.items()}, view
