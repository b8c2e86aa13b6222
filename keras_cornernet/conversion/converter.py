"""From published weights to a network of this package."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np

from keras_cornernet import files
from keras_cornernet.conversion.layout import Layout
from keras_cornernet.conversion.metadata import default_categories
from keras_cornernet.conversion.name_maps import recognize
from keras_cornernet.conversion.parts import COUNTER
from keras_cornernet.conversion.torch_checkpoint import read_checkpoint
from keras_cornernet.models.network import Network
from keras_cornernet.models.weights import check_finite
from keras_cornernet.structures import Categories, DataSource, Parent, Provenance

# Names that an error lists before it only counts.
_LISTED = 5
STEM = "stem_conv/conv/kernel"
DEPTHWISE = "/depth/kernel"  # how paths of kernels with one filter a channel end


class Report(NamedTuple):
    """What was found in a checkpoint.

    Attributes:
        layout: the repository whose names the file follows.
        arguments: of the network, read from names and shapes.
        parameters: trainable numbers taken over.
        unused: names in the file that were left out, with the reason.
        missing: our weights that the file did not fill and that start anew: class heads for another number
            of classes, and whatever a file of this layout has nothing for.
    """

    layout: str
    arguments: dict[str, Any]
    parameters: int
    unused: dict[str, str | None]
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
) -> tuple[Network, Report]:
    """Builds the network that a PyTorch checkpoint belongs to and fills it.

    Widths, depth, stacks and classes or joints are read from the file's names and shapes. The authors'
    detectors expect BGR images and ours take RGB, so the input channels of the first convolution are
    reversed.

    Args:
        path: a file of princeton-vl/CornerNet, CornerNet-Lite (CornerNet, Saccade, Squeeze),
            Duankaiwen/CenterNet, xingyizhou/CenterNet (the hourglass of Objects as Points) or mmdetection's
            CornerNet; of pytorch_stacked_hourglass, bearpaw/pytorch-pose or mmpose's `HourglassNet`; see
            `read_checkpoint`.
        num_classes: another number than the file's keeps the body's weights and gives fresh class heads.
        categories: names (and ids) of the classes; COCO's where there are 80 and nothing is said.

    Returns:
        network: of the class that the file's layout names. Its `metadata` holds the test settings of the
            repository, with the categories or the skeleton that has so many joints.
        report: what was found.

    Raises:
        ImportError: PyTorch is not installed.
        ValueError: the file is no checkpoint, follows no known layout, or does not fit: the message
            lists the first missing, unexpected and misshapen names and the layout it was taken for; or a
            weight is not finite.
    """
    state = read_checkpoint(path)
    try:
        network, report = convert_state(state, num_classes=num_classes, categories=categories)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    seen = DataSource(f"the data of a checkpoint of {report.layout}", "those of the checkpoint")
    parent = Parent(Path(path).name, files.sha256_of(path))
    network.metadata = {**(network.metadata or {}), "provenance": Provenance((seen,), (parent,)).to_json()}
    return network, report


def convert_state(
    state: dict[str, np.ndarray],
    *,
    num_classes: int | None = None,
    categories: Categories | Sequence[str] | None = None,
) -> tuple[Network, Report]:
    """`convert_checkpoint` of arrays that are in memory already.

    Args:
        state: original name to array, in PyTorch's layout. Emptied on success, entry by entry, so that
            there are never three copies of the weights.
        num_classes, categories: see `convert_checkpoint`.
    """
    layout = recognize(state)
    arguments = layout.infer(state)
    classes: int | None = arguments.get("num_classes")
    if classes is None and (num_classes is not None or categories is not None):
        raise ValueError(f"num_classes and categories are of detectors; this is a file of {layout.name}")
    named = None if classes is None else default_categories(num_classes or classes, categories)
    _check_before_building(state, layout, arguments)
    network = layout.network(**arguments)
    names = match_names(network.weights, state, layout, arguments)
    taken = set(names.values())
    unused = {name: _reason_unused(name, layout) for name in state if name not in taken}
    parameters, missing = 0, []
    for weight in network.weights:
        if weight.path not in names:
            missing.append(weight.path)
            continue
        check_finite([(weight.path, state[names[weight.path]])], names[weight.path])
        weight.assign(to_keras(state.pop(names[weight.path]), weight.path, layout))
        parameters += int(np.prod(weight.shape)) if weight.trainable else 0
    state.clear()
    if num_classes is not None and num_classes != classes:
        network, fresh = network.with_num_classes(num_classes)
        missing += [path for path in fresh if path not in missing]
    network.metadata = layout.metadata(network)
    if named is not None:
        network.metadata["categories"] = {"names": list(named.names), "ids": list(named.ids)}
    return network, Report(layout.name, arguments, parameters, unused, tuple(missing))


def infer_arguments(state: Mapping[str, Any]) -> dict[str, Any]:
    """Reads the arguments of the network from the names and shapes of a checkpoint.

    Args:
        state: name to array, or to anything with a `shape`.

    Returns:
        Of detectors: `num_classes, stacks, channels, num_blocks, stem, head_channels, head_kernel_size`, and
        `pool_channels` or `size_per_class`. Of `StackedHourglass`: `num_joints, stacks, channels,
        num_blocks, stem, stem_kernel_size`, and `block`. Also `mean` and `std` where they differ from the
        authors'.

    Raises:
        ValueError: the names follow no known layout, or one that is needed is missing.
    """
    return recognize(state).infer(state)


def _check_before_building(state: Mapping[str, Any], layout: Layout, arguments: Mapping[str, Any]) -> None:
    """Raises `ValueError` where a file cannot fit the network that its names ask for."""
    try:
        config = layout.network.config_type(**arguments)
    except ValueError as error:
        raise ValueError(f"taken for a checkpoint of {layout.name}, but {error}") from None
    known = set(layout.weight_names(arguments).values())
    strangers = [name for name in state if name not in known and _reason_unused(name, layout) is None]
    if strangers:
        _raise_misfit(layout, {"unexpected": strangers})
    numbers = sum(int(np.prod(array.shape)) for array in state.values())
    if config.fewest_arrays > len(state) or config.fewest_values > numbers:
        raise ValueError(
            f"taken for a checkpoint of {layout.name} whose network has at least {config.fewest_arrays:,} "
            f"weights of {config.fewest_values:,} numbers, and the file holds {len(state):,} of {numbers:,}"
        )


def match_names(
    weights: Iterable[Any], state: Mapping[str, Any], layout: Layout, arguments: Mapping[str, Any]
) -> dict[str, str]:
    """Finds each of our weights in a checkpoint.

    Args:
        weights: ours, with `path` and `shape`.
        state: name to array, or to anything with a `shape`.
        layout: of `state`.
        arguments: of the network.

    Returns:
        Our path to the name in `state`, but of the weights that such a file has nothing for.

    Raises:
        ValueError: the two do not fit; lists the first missing, unexpected and misshapen names.
    """
    theirs = layout.weight_names(arguments)
    weights = [weight for weight in weights if not weight.path.startswith(layout.fresh)]
    names = {weight.path: theirs[weight.path] for weight in weights}
    expected = set(names.values())
    missing = [name for name in names.values() if name not in state]
    unexpected = [name for name in state if name not in expected and _reason_unused(name, layout) is None]
    misshapen = []
    for weight in weights:
        name = names[weight.path]
        if name in state and tuple(state[name].shape) != (wanted := _torch_shape(weight)):
            misshapen.append(f"{name} {tuple(state[name].shape)}, not {wanted}")
    problems = {"missing": missing, "unexpected": unexpected, "of another shape": misshapen}
    if any(problems.values()):
        _raise_misfit(layout, problems)
    return names


def _raise_misfit(layout: Layout, problems: Mapping[str, Sequence[str]]) -> NoReturn:
    listed = "; ".join(
        f"{len(found)} {kind}: {', '.join(found[:_LISTED])}{', ...' if len(found) > _LISTED else ''}"
        for kind, found in problems.items()
        if found
    )
    raise ValueError(
        f"the weights do not fit the network they were taken for (layout of {layout.name}): {listed}"
    )


def to_keras(array: np.ndarray, path: str, layout: Layout) -> np.ndarray:
    """Brings a weight into the form of ours: float32, `(kh, kw, in, out)`, RGB.

    Args:
        array: in PyTorch's layout: convolutions are `(out, in, kh, kw)`, depthwise ones
            `(channels, 1, kh, kw)`, transposed ones `(in, out, kh, kw)`.
        path: of our weight.
        layout: says whether the stem reads BGR.
    """
    if array.ndim == 4:
        array = array.transpose(2, 3, 0, 1) if path.endswith(DEPTHWISE) else array.transpose(2, 3, 1, 0)
        if layout.bgr and path == STEM:
            array = array[:, :, ::-1]
    return np.ascontiguousarray(array, np.float32)


def _torch_shape(weight: Any) -> tuple[int, ...]:
    if len(weight.shape) != 4:
        return tuple(weight.shape)
    height, width, third, fourth = weight.shape
    channels = (third, fourth) if weight.path.endswith(DEPTHWISE) else (fourth, third)
    return (*channels, height, width)


def _reason_unused(name: str, layout: Layout) -> str | None:
    if name.endswith("." + COUNTER):
        return "counts the batches seen in training"
    return layout.reason_unused(name)
