"""Names for the types of tensors and sizes; what a tensor holds is stated in docstrings."""

from typing import Any, TypeAlias

Tensor: TypeAlias = Any  # of the backend of Keras, or an array
Shape: TypeAlias = tuple[int | None, ...]
Size: TypeAlias = tuple[int, int]  # (height, width)
