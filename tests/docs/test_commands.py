"""Each `keras-cornernet` command in the documentation has a known name, known options and all arguments."""

import re
import shlex
from pathlib import Path

import nbformat
import pytest
import typer.main

from keras_cornernet.cli import app

ROOT = Path(__file__).parents[2]
PAGES = [
    *ROOT.glob("*.md"),
    *(ROOT / "docs").rglob("*.md"),
    *(ROOT / "notebooks").glob("*.md"),
    *(ROOT / "notebooks").glob("*.ipynb"),
    *(page for page in (ROOT / "saved_models").rglob("*.md") if "node_modules" not in page.parts),
]
COMMANDS = typer.main.get_command(app).commands


def text_of(page: Path) -> str:
    """A page as text: of a notebook, its markdown cells."""
    if page.suffix != ".ipynb":
        return page.read_text()
    cells = nbformat.read(page, as_version=4).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def commands_in(page: Path) -> list[list[str]]:
    """The arguments of each `keras-cornernet ...` in the page's bash blocks."""
    blocks = re.findall(r"^```bash\n(.*?)^```", text_of(page), re.MULTILINE | re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    words = [shlex.split(part, comments=True) for line in lines for part in line.split("&&")]
    return [rest for name, *rest in filter(None, words) if name == "keras-cornernet"]


def mentions_in(page: Path) -> list[str]:
    """Each `keras-cornernet ...` between backticks, which may leave arguments out."""
    return re.findall(r"(?<!`)`keras-cornernet ([a-z][^`]+)`", text_of(page).replace("\n", " "))


def cases(found) -> list:
    """The pages with what was found on each, as parameters of a test."""
    return [
        pytest.param(case, id=f"{page.stem}: {case if isinstance(case, str) else ' '.join(case)}"[:90])
        for page in PAGES
        for case in found(page)
    ]


def test_pages_have_commands():
    pages = {page.stem for page in PAGES if commands_in(page)}
    assert {"README", "cornernet_bccd", "1_train_a_detector"} <= pages


@pytest.mark.parametrize("arguments", cases(commands_in))
def test_a_command_is_parsed(arguments):
    name, *rest = arguments
    assert name in COMMANDS
    COMMANDS[name].make_context(name, rest)  # parses without running; raises what a user would be told


@pytest.mark.parametrize("mention", cases(mentions_in))
def test_a_mention_has_known_options(mention):
    name, *rest = mention.split()
    assert name in COMMANDS
    known = {option for param in COMMANDS[name].params for option in (*param.opts, *param.secondary_opts)}
    assert {word for word in rest if word.startswith("--")} <= known
