"""From a network of this package back to the names and arrays of the authors' code."""

from dataclasses import fields
from typing import Any

import numpy as np

from keras_cornernet.conversion.converter import DEPTHWISE, STEM
from keras_cornernet.conversion.layout import Layout
from keras_cornernet.conversion.name_maps import LAYOUTS
from keras_cornernet.models.network import Network


def to_torch_state_dict(network: Network, repository: str) -> dict[str, np.ndarray]:
    """The weights of a network as a state dict of the authors' code: the way back from `convert_state`.

    The counters of batches that BatchNorm keeps in PyTorch are not among them, nor modules that a repository
    allocates and never uses: `load_state_dict(..., strict=False)`.

    Args:
        network: of a class and with settings that the repository's code can build.
        repository: `Layout.name`, such as `"princeton-vl/CornerNet"`; the error of an unknown one lists
            them all.

    Returns:
        Original name to float32 array, in PyTorch's layout.

    Raises:
        ValueError: `repository` is unknown, or its code cannot build the network; the message names what
            differs.

    Example:
        >>> network = keras_cornernet.from_preset("hourglass_1stack").network
        >>> state = to_torch_state_dict(network, "princeton-vl/pytorch_stacked_hourglass")
        >>> torch.save({name: torch.from_numpy(array) for name, array in state.items()}, "pose.pt")
    """
    layouts = {layout.name: layout for layout in LAYOUTS if not layout.fresh}
    if repository not in layouts:
        raise ValueError(f"repository must be one of {', '.join(layouts)}, not {repository!r}")
    layout = layouts[repository]
    if type(network) is not layout.network:
        raise ValueError(
            f"{repository} has files of a {layout.network.__name__}, not of a {type(network).__name__}"
        )
    names = layout.weight_names(network.arguments)
    if foreign := [weight.path for weight in network.weights if weight.path not in names]:
        raise ValueError(f"{repository} has no names for {len(foreign)} weights, such as {foreign[0]}")
    state = {names[weight.path]: to_torch(weight, layout) for weight in network.weights}
    _check(network.arguments, state, layout)
    return state


def to_torch(weight: Any, layout: Layout) -> np.ndarray:
    """One of our weights as PyTorch holds it, see `converter.to_keras`."""
    array, path = np.asarray(weight.value), weight.path
    if array.ndim == 4:
        if layout.bgr and path == STEM:
            array = array[:, :, ::-1]
        array = array.transpose(2, 3, 0, 1) if path.endswith(DEPTHWISE) else array.transpose(3, 2, 0, 1)
    return np.ascontiguousarray(array, np.float32)


def _check(arguments: dict[str, Any], state: dict[str, np.ndarray], layout: Layout) -> None:
    """Raises `ValueError` where names and shapes would describe another network."""
    defaults = {field.name: field.default for field in fields(layout.network.config_type)}
    read = {**defaults, **layout.infer(state), "input_size": arguments["input_size"]}
    if differ := [key for key, value in arguments.items() if read[key] != value]:
        listed = "; ".join(f"{key} is {arguments[key]}, there {read[key]}" for key in differ)
        raise ValueError(f"a file of {layout.name} cannot describe this network: {listed}")
