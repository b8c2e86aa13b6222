"""The scripts in `benchmarks/` import names that exist, and docs/benchmarks.md lists each of them."""

import ast
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted((ROOT / "benchmarks").glob("*.py"))
RUNNABLE = [path for path in SCRIPTS if "__main__" in path.read_text()]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_imported_names_exist(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("keras_cornernet"):
            module = importlib.import_module(node.module)
            assert all(hasattr(module, alias.name) for alias in node.names), ast.unparse(node)


def test_the_page_lists_them():
    listed = re.findall(
        r"^PYTHONPATH=\. python benchmarks/(\w+)\.py", (ROOT / "docs" / "benchmarks.md").read_text(), re.M
    )
    assert sorted(listed) == [path.stem for path in RUNNABLE]


@pytest.mark.parametrize("path", RUNNABLE, ids=lambda path: path.stem)
def test_its_docstring_states_the_command(path):
    assert f"`python benchmarks/{path.name}" in ast.get_docstring(ast.parse(path.read_text()))
