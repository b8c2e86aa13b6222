"""The folder of images that annotations name."""

import os
import re
from collections.abc import Iterator
from pathlib import Path, PureWindowsPath
from urllib.parse import parse_qs, unquote, urlsplit

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

    def find(self, name: object) -> str:
        """The path of the image that annotations name, however the tool that wrote them spells it.

        A name of which there is no file is looked for as other tools mean it: with Windows' slashes; quoted
        as in addresses; beginning with the folder's own name; of a path with a Windows drive or server, by
        its end; or, of an absolute path, an address or an upload to Label Studio, by its last part alone, and
        without the eight characters that Label Studio sets before it.

        Raises:
            ValueError: there is no such file, or it cannot be used; the message has the reason.
        """
        reason = self.unusable(name)
        if reason is None:
            return self.path(str(name))
        if isinstance(name, str):
            for other in _spellings(name, self.root.name):
                if self.unusable(other) is None:
                    return self.path(other)
        raise ValueError(reason)

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


def _spellings(name: str, folder: str) -> Iterator[str]:
    """What a file may be called that annotations name so, the likeliest first."""
    yield from without_drive(name)
    slashed = unquote(name.replace("\\", "/"))
    address = urlsplit(slashed) if "://" in slashed or "?" in slashed else None
    if address is not None:  # Label Studio: /data/local-files/?d=images/1.jpg
        slashed = parse_qs(address.query).get("d", [address.path])[0]
    parts = [part for part in slashed.split("/") if part not in ("", ".")]
    if not parts:
        return
    yield "/".join(parts)
    if folder in parts[:-1]:
        yield "/".join(parts[parts.index(folder) + 1 :])
    uploaded = "upload" in parts  # Label Studio: ../../label-studio/data/media/upload/1/0123abcd-name.jpg
    if uploaded or address is not None or slashed.startswith("/"):
        yield parts[-1]
        yield re.sub(r"^[0-9a-f]{8}-", "", parts[-1])


def without_drive(name: str) -> Iterator[str]:
    """The ends of a Windows path with a drive or a server, the longest first; of other names nothing."""
    path = PureWindowsPath(name)
    if path.drive:
        parts = path.parts[1:]
        yield from ("/".join(parts[i:]) for i in range(len(parts)))
