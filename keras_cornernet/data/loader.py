"""What the loaders of boxes and of people have in common: an example is drawn, rendered and annotated."""

from typing import Any

import numpy as np

from keras_cornernet.data.draws import Draw
from keras_cornernet.data.image_store import ImageStore
from keras_cornernet.data.rendering import render
from keras_cornernet.preprocessing import Size
from keras_cornernet.structures import OnProblem


class Loader:
    """Makes training examples; subclasses say what is drawn and how annotations follow.

    Args:
        dataset: has `paths` and `sizes` of the images.
        input_size: `(height, width)` of the network's input, where a draw asks for no other.
        augmentation: of each example, or None to show it as it is.
        seed: every random draw follows from it, the epoch and the example's index.
        cache_bytes: decoded images are kept in memory up to this size.
        on_problem: called once for each image that cannot be used, see `ImageStore`.
    """

    clips_colors: bool
    """Whether colours are kept within 0..255."""

    def __init__(
        self,
        dataset: Any,
        input_size: Size,
        augmentation: Any,
        seed: int,
        cache_bytes: int,
        on_problem: OnProblem | None,
    ):
        height, width = input_size
        self.input_size: Size = (height, width)
        self.augmentation = augmentation
        self.seed = seed
        self.images = ImageStore(dataset.paths, dataset.sizes, cache_bytes, on_problem)

    @property
    def annotations(self) -> dict[str, tuple[tuple[int, ...], type]]:
        """Shape and type of each annotation of one example."""
        raise NotImplementedError

    def draw(self, epoch: int, index: int, *, progress: float = 0.0, input_size: Size | None = None) -> Draw:
        """Draws an example in numbers, without reading pixels.

        Args:
            epoch: the number of the pass over the data.
            index: of the example. One whose image is known to be unusable is replaced by the next one.
            progress: the fraction of the training run that is over, for augmentations that change with it.
            input_size: `(height, width)` of the input, or None for the loader's.

        Returns:
            The same for the same arguments, whichever thread calls, and whenever.

        Raises:
            OSError: no image of the data set can be used.
        """
        raise NotImplementedError

    def render(self, draw: Draw) -> np.ndarray:
        """The image of a draw, `(*draw.input_size, 3)` float32 RGB.

        Raises:
            OSError: an image of it cannot be used.
        """
        images = self._read(draw)
        if images is None:
            raise OSError(f"an image of the draw cannot be used, see the warnings: {draw.indices}")
        return render(draw, images, clip=self.clips_colors)

    def annotate(self, draw: Draw) -> tuple[np.ndarray, ...]:
        """The annotations of a draw, in the order of `annotations`."""
        raise NotImplementedError

    def load(
        self,
        epoch: int,
        index: int,
        *,
        progress: float = 0.0,
        input_size: Size | None = None,
        out: np.ndarray | None = None,
    ) -> tuple[np.ndarray, ...]:
        """Makes one training example.

        Args:
            epoch, index, progress, input_size: of `draw`.
            out: `(height, width, 3)` float32 for the image, contiguous, or None for a new array.

        Returns:
            The image, `(height, width, 3)` float32 RGB, and then what `annotations` lists.

        Raises:
            OSError: no image of the data set can be used.
        """
        while True:
            draw = self.draw(epoch, index, progress=progress, input_size=input_size)
            images = self._read(draw)
            if images is not None:
                return (render(draw, images, clip=self.clips_colors, out=out), *self.annotate(draw))
            # One that could not be read is now known and will not be drawn again.

    def _read(self, draw: Draw) -> list[np.ndarray] | None:
        """The images of a draw, or None if one cannot be used."""
        images = []
        for index in draw.indices:
            image = self.images.read(index)
            if image is None:
                return None
            images.append(image)
        return images
