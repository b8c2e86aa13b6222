"""Optional packages, imported when they are needed."""

import importlib
from types import ModuleType


def import_extra(module: str, extra: str, purpose: str) -> ModuleType:
    """Imports a package that is not required by this one.

    Args:
        module: the name to import.
        extra: the extra of `keras_cornernet` that installs it.
        purpose: what needs it, the subject of the message.

    Raises:
        ImportError: it is not installed; the message states what to type.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        if error.name is not None and error.name.split(".")[0] != module.split(".")[0]:
            raise  # it is installed, but something that it imports is missing
        package = module.split(".")[0].replace("_", "-")
        raise ImportError(
            f"{purpose} needs {package}. Type: pip install 'keras_cornernet[{extra}]'"
        ) from error
