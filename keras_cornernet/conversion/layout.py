"""What is known of one repository's checkpoints."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from keras_cornernet.conversion.parts import Module, Reader, weights_of
from keras_cornernet.models.network import Network


class Layout(NamedTuple):
    """One way of naming the weights of a network.

    Attributes:
        name: the repository that writes files like this.
        marks: prefixes of names by which a file is recognised; all of them must occur.
        network: what such a file becomes.
        modules: from the network's arguments to pairs of modules.
        read: from a `Reader` of the file to the network's arguments.
        metadata: from the filled network to how the repository tests it.
        prefixes: this layout's prefix of each one in `modules` and `read`, where they differ; all names of a
            module begin with its prefix and a dot.
        unused: first words of names, or of what follows a dot, that may be left out, and why.
        fresh: prefixes of our paths that such a file has nothing for; those weights start anew.
        bgr: the stem reads BGR images, so its input channels are reversed for our RGB.
    """

    name: str
    marks: tuple[str, ...]
    network: type[Network]
    modules: Callable[[Mapping[str, Any]], Iterable[Module]]
    read: Callable[[Reader], dict[str, Any]]
    metadata: Callable[[Any], dict[str, Any]]
    prefixes: dict[str, str] = {}  # noqa: RUF012  (a named tuple's default, never changed)
    unused: dict[str, str] = {}  # noqa: RUF012
    fresh: tuple[str, ...] = ()
    bgr: bool = False

    def from_original(self, name: str) -> str:
        """This layout's name of a weight that `modules` and `read` call `name`."""
        module, dot, rest = name.partition(".")
        return self.prefixes.get(module, module) + dot + rest

    def weight_names(self, arguments: Mapping[str, Any]) -> dict[str, str]:
        """Our weight paths and the file's names.

        Every residual is listed with a shortcut and every convolution with a bias, whether the network has
        them or not.
        """
        return {ours: self.from_original(name) for ours, name in weights_of(self.modules(arguments)).items()}

    def infer(self, state: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of the network that names and shapes tell."""
        return self.read(Reader(state, self, self.from_original))

    def reason_unused(self, name: str) -> str | None:
        """Why a weight of the file may be left out, if it may."""
        return next((why for part, why in self.unused.items() if f".{part}" in f".{name}"), None)
