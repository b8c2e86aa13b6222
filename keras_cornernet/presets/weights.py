"""Finds the trained weights of presets: files of the distribution `keras_cornernet_weights`."""

from importlib import resources
from pathlib import Path

PACKAGE = "keras_cornernet_weights"


def find_weights(file_name: str) -> Path | None:
    """The path of a file of `keras_cornernet_weights`, or None where it is not installed.

    Args:
        file_name: such as `"cornernet_people.keras"`.
    """
    try:
        path = Path(str(resources.files(PACKAGE) / file_name))
    except ModuleNotFoundError:
        return None
    return path if path.is_file() else None


def weights_path(file_name: str) -> Path:
    """The path of a file of `keras_cornernet_weights`.

    Raises:
        ModuleNotFoundError: the distribution is not installed, or an older version of it is.
    """
    path = find_weights(file_name)
    if path is None:
        raise ModuleNotFoundError(
            f"{file_name} is not installed: trained weights are a distribution of their own, {PACKAGE}; in a "
            "clone of the repository, type `pip install ./saved_models/weights`",
            name=PACKAGE,
        )
    return path
