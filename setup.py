"""The description that package indexes show: README, whose relative links and pictures lead nowhere there.

Everything else stands in `setup.cfg`. `REPOSITORY` is None as long as the project has no public address:
pictures are left out then, and links become their text. With an address, such as
`https://example.org/owner/name`, both become absolute, and the index links to it.
"""

import re
from pathlib import Path

from setuptools import setup

REPOSITORY: str | None = None
RAW = "{repository}/raw/main/{path}"  # where a forge serves a file as it is
PAGE = "{repository}/blob/main/{path}"


def for_index(text: str, repository: str | None) -> str:
    """A page of the repository as a page that stands alone.

    Args:
        text: Markdown.
        repository: the public address of the repository, or None.
    """

    def link(match: re.Match[str]) -> str:
        picture, label, target = match.groups()
        if re.match(r"[a-z]+:", target):
            return match[0]
        if repository is None:
            return "" if picture else label
        address = RAW if picture else PAGE
        if target.startswith("#"):
            target = f"README.md{target}"
        return f"{picture}[{label}]({address.format(repository=repository, path=target)})"

    text = re.sub(r"(!?)\[([^\]]*)\]\(([^()\s]+)\)", link, text)
    return re.sub(r"\n{3,}", "\n\n", text)


if __name__ == "__main__":
    readme = (Path(__file__).parent / "README.md").read_text(encoding="utf-8")
    urls = {} if REPOSITORY is None else {"project_urls": {"Source": REPOSITORY}}
    setup(long_description=for_index(readme, REPOSITORY), **urls)
