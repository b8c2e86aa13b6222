"""The folder of images that annotations name."""

import os
from pathlib import Path

from keras_cornernet import files


class ImageFolder:
    """The image files below a folder; each subfolder is listed once, when a name first asks for it.

    Args:
        root: the folder.

    Raises:
        NotADirectoryError: `root` is not a folder.
    """

    def __init__(self, root: str | Path):
        self.root = Path(root)
        if not self.root.is_dir():
            raise NotADirectoryError(f"images: {self.root} is not a folder")
        self._listings: dict[str, dict[str, bool]] = {}

    def path(self, name: str) -> str:
        """The path of the file of that name."""
        return os.path.join(self.root, name)

    def unusable(self, name: object) -> str | None:
        """The reason why an annotated file name cannot be used, or None if it can."""
        if not isinstance(name, str) or not name:
            return f"the file name {name!r} is not a text"
        folder, base = os.path.split(name)
        try:
            if folder not in self._listings:
                self._listings[folder] = self._list(folder)
            if self._listings[folder].get(base):  # a symbolic link may point out of the folder
                files.inside(self.root, name)
        except ValueError as error:
            return str(error)
        return None if base in self._listings[folder] else self._why_not_listed(name)

    def _list(self, folder: str) -> dict[str, bool]:
        """The regular files of a subfolder, and whether each is a symbolic link."""
        path = files.inside(self.root, folder)
        try:
            with os.scandir(path) as entries:
                return {entry.name: entry.is_symlink() for entry in entries if _is_file(entry)}
        except OSError:
            return {}

    def _why_not_listed(self, name: str) -> str | None:
        path = self.path(name)
        try:
            files.check_is_file(path)
            files.inside(self.root, name)
        except (FileNotFoundError, IsADirectoryError):
            return f"there is no such file in {self.root}"
        except (OSError, ValueError) as error:
            return str(error).removeprefix(f"{path}: ")
        return None  # it is in a folder that may be entered but not listed


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # a symbolic link that leads to itself
        return False
