"""From published weights to a network of this package."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_cornernet import files
from keras_cornernet.coco_names import COCO_CLASSES
from keras_cornernet.codecs import CornerCodec
from keras_cornernet.conversion.name_maps import COUNTER, Layout, level, recognize, weight_names
from keras_cornernet.conversion.torch_checkpoint import read_checkpoint
from keras_cornernet.inference.detector import TestSettings
from keras_cornernet.models import CornerNet
from keras_cornernet.structures import Categories

# Names that an error lists before it only counts.
_LISTED = 5


class Report(NamedTuple):
    """What was found in a checkpoint.

    Attributes:
        layout: the repository whose names the file follows.
        arguments: of `CornerNet`, read off names and shapes.
        parameters: trainable numbers taken over.
        unused: names in the file that were left out, with the reason.
        missing: our weights that the file did not fill; only class heads that were asked to be fresh.
    """

    layout: str
    arguments: dict
    parameters: int
    unused: dict[str, str]
    missing: tuple[str, ...]


def convert(
    checkpoint: str | Path,
    output: str | Path,
    *,
    num_classes: int | None = None,
    categories: Categories | Sequence[str] | None = None,
) -> Report:
    """Turns a PyTorch checkpoint into a `.keras` file that `from_preset` loads.

    Args:
        checkpoint, num_classes, categories: see `convert_checkpoint`.
        output: the `.keras` file, replaced only once the new one is complete.

    Raises:
        ValueError: `output` does not end in `.keras`; or see `convert_checkpoint`.
    """
    if Path(output).suffix != ".keras":
        raise ValueError(f"output must be a file that ends in .keras, not {output}")
    network, report = convert_checkpoint(checkpoint, num_classes=num_classes, categories=categories)
    files.write_with(output, network.save)
    return report


def convert_checkpoint(
    path: str | Path,
    *,
    num_classes: int | None = None,
    categories: Categories | Sequence[str] | None = None,
) -> tuple[CornerNet, Report]:
    """Builds the network that a PyTorch checkpoint belongs to and fills it.

    Widths, depth, stacks and classes are read off the file's names and shapes. Published files expect
    BGR images and ours take RGB, so the input channels of the first convolution change places.

    Args:
        path: a file of princeton-vl/CornerNet or CornerNet-Lite (its CornerNet), see `read_checkpoint`.
        num_classes: another number than the file's keeps the body's weights and gives fresh class heads.
        categories: names (and ids) of the classes; COCO's where there are 80 and nothing is said.

    Returns:
        network: a `CornerNet` whose `task` holds the paper's test settings.
        report: what was found.

    Raises:
        ImportError: PyTorch is not installed.
        ValueError: the file is no checkpoint, follows no known layout, or does not fit: the message
            lists the first missing, unexpected and misshapen names and the layout it was taken for.
    """
    state = read_checkpoint(path)
    try:
        return convert_state(state, num_classes=num_classes, categories=categories)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def convert_state(
    state: dict[str, np.ndarray],
    *,
    num_classes: int | None = None,
    categories: Categories | Sequence[str] | None = None,
) -> tuple[CornerNet, Report]:
    """`convert_checkpoint` of arrays that are in memory already.

    Args:
        state: original name to array, in PyTorch's layout. Emptied on success, entry by entry, so that two
            copies of the weights never pile up to three.
        num_classes, categories: see `convert_checkpoint`.
    """
    layout = recognize(state)
    arguments = infer_arguments(state)
    classes = arguments["num_classes"] if num_classes is None else num_classes
    categories = _categories_of(classes, categories)
    network = CornerNet(**arguments)
    names = match_names(network.weights, state, layout, arguments)
    unused = {name: "counts the batches seen in training" for name in state if _is_counter(name)}
    parameters = 0
    for weight in network.weights:
        weight.assign(to_keras(state.pop(names[weight.path]), weight.path, layout))
        parameters += int(np.prod(weight.shape)) if weight.trainable else 0
    state.clear()
    missing = []
    if classes != arguments["num_classes"]:
        network, missing = network.with_num_classes(classes)
    network.task = _task_of(network, categories)
    return network, Report(layout.name, arguments, parameters, unused, tuple(missing))


def infer_arguments(state: Mapping[str, np.ndarray]) -> dict:
    """The arguments of `CornerNet` that a checkpoint's names and shapes tell.

    Args:
        state: name to array, or to anything with a `shape`.

    Returns:
        `num_classes, stacks, channels, counts, stem, pool_channels, head_channels, head_kernel_size`.

    Raises:
        ValueError: the names follow no known layout, or one that is needed is missing.
    """
    layout = recognize(state)

    def number_of(module: str) -> int:
        """How many numbered modules there are below `module`."""
        pattern = re.compile(re.escape(layout.from_original(module + ".")) + r"(\d+)\.")
        return len({found.group(1) for name in state if (found := pattern.match(name))})

    def size(name: str, axis: int = 0) -> int:
        name = layout.from_original(name)
        if name not in state:
            raise ValueError(f"taken for a checkpoint of {layout.name}, but missing: {name}")
        if len(state[name].shape) <= axis:
            raise ValueError(f"{name} has the unexpected shape {tuple(state[name].shape)}")
        return int(state[name].shape[axis])

    order = 0
    while number_of(level("kps.0", order) + ".up1"):
        order += 1
    levels = [level("kps.0", k) + ".up1" for k in range(order)] + [level("kps.0", order)]
    return {
        "num_classes": size("tl_heats.0.1.weight"),
        "stacks": number_of("kps"),
        "channels": tuple(size(f"{name}.0.bn2.weight") for name in levels),
        "counts": tuple(number_of(name) for name in levels),
        "stem": (
            size("pre.0.conv.weight"),
            *(size(f"pre.{i}.bn2.weight") for i in range(1, number_of("pre"))),
        ),
        "pool_channels": size("tl_cnvs.0.p1_conv1.conv.weight"),
        "head_channels": size("tl_heats.0.0.conv.weight"),
        "head_kernel_size": size("tl_heats.0.0.conv.weight", 2),
    }


def match_names(weights: Iterable, state: Mapping, layout: Layout, arguments: Mapping) -> dict[str, str]:
    """Finds each of our weights in a checkpoint.

    Args:
        weights: ours, with `path` and `shape`.
        state: name to array, or to anything with a `shape`.
        layout: of `state`.
        arguments: of the network.

    Returns:
        Our path to the name in `state`.

    Raises:
        ValueError: the two do not fit; lists the first missing, unexpected and misshapen names.
    """
    originals = weight_names(arguments)
    names = {weight.path: layout.from_original(originals[weight.path]) for weight in weights}
    expected = set(names.values())
    missing = [name for name in names.values() if name not in state]
    unexpected = [name for name in state if name not in expected and not _is_counter(name)]
    misshapen = []
    for weight in weights:
        name = names[weight.path]
        if name in state and tuple(state[name].shape) != (wanted := _torch_shape(weight.shape)):
            misshapen.append(f"{name} {tuple(state[name].shape)}, not {wanted}")
    faults = {"missing": missing, "unexpected": unexpected, "of another shape": misshapen}
    if any(faults.values()):
        listed = "; ".join(
            f"{len(found)} {kind}: {', '.join(found[:_LISTED])}{', ...' if len(found) > _LISTED else ''}"
            for kind, found in faults.items()
            if found
        )
        raise ValueError(
            f"the weights do not fit the CornerNet they were taken for (layout of {layout.name}): {listed}"
        )
    return names


def to_keras(array: np.ndarray, path: str, layout: Layout) -> np.ndarray:
    """Brings a weight into the form of ours: float32, `(kh, kw, in, out)`, RGB.

    Args:
        array: in PyTorch's layout; convolutions are `(out, in, kh, kw)`.
        path: of our weight.
        layout: says whether the stem reads BGR.
    """
    if array.ndim == 4:
        array = array.transpose(2, 3, 1, 0)
        if layout.bgr and path == "stem_conv/conv/kernel":
            array = array[:, :, ::-1]
    return np.ascontiguousarray(array, np.float32)


def _torch_shape(shape):
    return (shape[3], shape[2], shape[0], shape[1]) if len(shape) == 4 else tuple(shape)


def _is_counter(name):
    return name.endswith("." + COUNTER)


def _categories_of(count: int, categories) -> Categories | None:
    if categories is None:
        named = count == len(COCO_CLASSES)
        return Categories(tuple(COCO_CLASSES.values()), tuple(COCO_CLASSES)) if named else None
    if not isinstance(categories, Categories):
        categories = Categories(tuple(categories), tuple(range(1, len(categories) + 1)))
    if len(categories.names) != count:
        raise ValueError(
            f"categories has {len(categories.names)} names for {count} classes; num_classes asks for fresh "
            "heads of another number"
        )
    return categories


def _task_of(network: CornerNet, categories: Categories | None) -> dict:
    """How the paper tests: whole images, padded so that every hourglass level halves exactly."""
    codec = asdict(CornerCodec(network.arguments["num_classes"]))
    codec.pop("num_classes")
    task = {"settings": asdict(TestSettings(multiple=network.multiple)), "codec": codec}
    if categories is not None:
        task["categories"] = {"names": list(categories.names), "ids": list(categories.ids)}
    return task
