"""How long a result took."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Speed:
    """The time that one image took, in milliseconds.

    Images that go through the network together share its time equally.

    Attributes:
        reading: opening and decoding the file; 0 for an array.
        graph: the compiled graph: network, decoding and suppression.
        rest: everything else, such as warping the image and building the result.
    """

    reading: float
    graph: float
    rest: float

    @property
    def total(self) -> float:
        """The sum of the three, in milliseconds."""
        return self.reading + self.graph + self.rest

    def __str__(self) -> str:
        return (
            f"{self.total:.1f} ms (reading {self.reading:.1f}, graph {self.graph:.1f}, rest {self.rest:.1f})"
        )
