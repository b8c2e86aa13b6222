"""The settings of decoding in the description of a file with raw maps, checked before they cost anything.

They come from files of others: a window or a count without bounds would take all memory or never end.
"""

from collections.abc import Mapping
from typing import Any

from keras_cornernet.checks import check_choice, check_flag, check_number, check_odd
from keras_cornernet.ops.suppression_methods import METHODS

REFINEMENTS = ("none", "quarter", "quarter_any", "quarter_axis", "dark")  # that `decode_pose` knows
WIDEST_WINDOW = 255  # cells
MOST_PEAKS = 4096  # each is compared with each
HEADS = {"centers": ["offset", "size"], "corners": ["offset", "embedding"], "keypoints": []}


def check_raw(raw: Mapping[str, Any]) -> None:
    """Raises `ValueError` where `decode_boxes` or `decode_pose` cannot work with the settings of a file."""
    kind = raw.get("kind")
    if not isinstance(kind, str) or kind not in HEADS:
        raise ValueError(f"raw: maps of the kind {kind!r:.80} are not known")
    if sorted(map(str, _given(raw, "heads"))) != sorted(HEADS[kind]):
        raise ValueError(f"raw: heads must be {', '.join(HEADS[kind]) or 'none'}, not {raw['heads']!r:.80}")
    if kind == "keypoints":
        check_flag("raw: half_cell", _given(raw, "half_cell"))
        check_choice("raw: refinement", _given(raw, "refinement"), REFINEMENTS)
        _check_window(raw, "blur")
    else:
        _check_boxes(raw, kind)
    scales = raw.get("quantization", {})
    if not isinstance(scales, Mapping):
        raise ValueError(f"raw: quantization must be an object, not {scales!r:.80}")
    for name, pair in scales.items():
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise ValueError(f"raw: quantization of {name} must be a scale and a zero, not {pair!r:.80}")
        check_number(f"raw: scale of {name}", pair[0], above=0)
        check_number(f"raw: zero of {name}", pair[1], whole=True)


def _check_boxes(raw: Mapping[str, Any], kind: str) -> None:
    _check_window(raw, "peak_kernel")
    counts = ("top_k", "max_detections") + (("num_detections",) if kind == "corners" else ())
    for name in counts:
        check_number(f"raw: {name}", _given(raw, name), at_least=1, at_most=MOST_PEAKS, whole=True)
    check_choice("raw: method", _given(raw, "method"), METHODS)
    check_number("raw: sigma", _given(raw, "sigma"), above=0)
    check_number("raw: iou_threshold", _given(raw, "iou_threshold"), at_least=0, at_most=1)
    for name in ("merge_exponent", "border") + (("embedding_scale",) if kind == "corners" else ()):
        if _given(raw, name) is not None:
            check_number(f"raw: {name}", raw[name], above=0)
    if kind == "corners":
        check_number("raw: embedding_threshold", _given(raw, "embedding_threshold"), at_least=0)
        check_flag("raw: geometric_score", _given(raw, "geometric_score"))
    else:
        check_flag("raw: size_per_class", _given(raw, "size_per_class"))


def _check_window(raw: Mapping[str, Any], name: str) -> None:
    check_odd(f"raw: {name}", _given(raw, name))
    check_number(f"raw: {name}", raw[name], at_least=1, at_most=WIDEST_WINDOW)


def _given(raw: Mapping[str, Any], name: str) -> Any:
    if name not in raw:
        raise ValueError(f"raw: {name} is missing")
    return raw[name]
