"""Links within the repository lead to files, and to headings, that exist."""

import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("docs", "notebooks", "saved_models", "tests", ".github")
PAGES = [
    *ROOT.glob("*.md"),
    *(
        page
        for folder in FOLDERS
        for pattern in ("*.md", "*.ipynb")
        for page in (ROOT / folder).rglob(pattern)
        if not {"node_modules", ".ipynb_checkpoints"} & set(page.parts)
    ),
]


def prose(page: Path) -> str:
    """The text of a page without its code."""
    if page.suffix == ".ipynb":
        cells = nbformat.read(page, as_version=4).cells
        text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    else:
        text = page.read_text()
    return re.sub(r"^```.*?^```|`[^`\n]*`", "", text, flags=re.MULTILINE | re.DOTALL)


def links(page: Path) -> list[str]:
    """The targets of the page's links and pictures that are not addresses of the web."""
    targets = re.findall(r"\]\(([^()\s]+)\)", prose(page))
    return [target for target in targets if not re.match(r"[a-z]+:", target)]


def anchors(page: Path) -> set[str]:
    """The names that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page):
    for link in links(page):
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_links_are_found():
    assert {"notebooks/README.md", "docs/benchmarks.md#agreement-with-the-authors-code"} <= set(
        links(ROOT / "README.md")
    )
