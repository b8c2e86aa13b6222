"""All layouts of checkpoints that are known, and which of them a file follows."""

from collections.abc import Iterable

from keras_cornernet.conversion.corner_names import CORNER_LAYOUTS
from keras_cornernet.conversion.layout import Layout
from keras_cornernet.conversion.mmlab_names import MMLAB_LAYOUTS
from keras_cornernet.conversion.pose_names import POSE_LAYOUTS

LAYOUTS = (*CORNER_LAYOUTS, *MMLAB_LAYOUTS, *POSE_LAYOUTS)


def recognize(names: Iterable[str]) -> Layout:
    """The layout that a file's names follow.

    Raises:
        ValueError: none of `LAYOUTS`; lists them, with what the file has.
    """
    names = list(names)
    for layout in LAYOUTS:
        if all(any(name.startswith(mark) for name in names) for mark in layout.marks):
            return layout
    known = "; ".join(f"{layout.name} (names like {', '.join(layout.marks)})" for layout in LAYOUTS)
    raise ValueError(
        f"the weights are named like none of the layouts known here: {known}. The first of its "
        f"{len(names)} names: {', '.join(names[:4])}"
    )
