"""What is wrong with an annotation or an image, as a value."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in a data set and is therefore left out.

    Attributes:
        path: the annotation file or the image that is at fault.
        where: the position in that file, such as `images[3]`; empty if the whole file is at fault.
        reason: what is wrong.
        costs_image: whether an image is left out because of it (in a data set of people: a person) and not
            only one of the image's annotations.
    """

    path: str
    where: str
    reason: str
    costs_image: bool = False

    def __str__(self) -> str:
        return ": ".join(part for part in (self.path, self.where, self.reason) if part)


OnProblem = Callable[[Problem], None]


def image_problem(path: str | Path, error: OSError) -> Problem:
    """The problem of an image that cannot be read, from the error that reading it raised."""
    return Problem(str(path), "", str(error).removeprefix(f"{path}: "), costs_image=True)


def size_problem(
    path: str | Path, stated: tuple[int, int] | None, actual: tuple[int, int], *, rotated: bool = False
) -> Problem | None:
    """The problem of an image whose size is not the one that its annotations state.

    Args:
        path: the image.
        stated: `(height, width)` in the annotations, or None if they state none.
        actual: `(height, width)` of the image after its EXIF rotation.
        rotated: whether EXIF exchanged height and width, for the message.

    Returns:
        None if the sizes agree or none is stated.
    """
    if stated is None or tuple(stated) == tuple(actual):
        return None
    after = " after its EXIF rotation" if rotated else ""
    reason = (
        f"the image is {actual[1]}x{actual[0]} (width x height){after}, "
        f"its annotations state {stated[1]}x{stated[0]}"
    )
    return Problem(str(path), "", reason, costs_image=True)
