"""The notebooks: their form in the fast tests, their execution with small sizes in the slow ones."""

import ast
import json
import os
import re
from pathlib import Path

import nbformat
import pytest

import keras_cornernet

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SITE = "https://colab.research.google.com/github/keras-cornernet/keras_cornernet/blob/main/notebooks/"
LARGEST = 600_000  # bytes
MACHINE = re.compile(r"/(?:work|tmp|root|home|usr/local)/")

# The values that a test writes into the cell tagged `parameters`: all of its names, with small values.
SMALL = {
    "1_train_a_detector": {
        "SCENES": 4,
        "VAL_SCENES": 8,
        "EPOCHS": 1,
        "BATCH_SIZE": 2,
        "INPUT_SIZE": (64, 64),
    },
    "2_pose_and_stacks": {
        "SCENES": 8,
        "VAL_SCENES": 6,
        "EPOCHS": 1,
        "BATCH_SIZE": 2,
        "INPUT_SIZE": (64, 64),
    },
    "3_look_inside": {"SEED": 47, "CORNERS": 3},
    "4_export": {"MODEL": "cornernet_people", "PRECISIONS": ("dynamic",), "IMAGES": 4, "FLIP": False},
    "5_published_checkpoint": {
        "POSE_CHECKPOINT": "pose.pt",
        "CORNER_CHECKPOINT": "cornernet.pkl",
        "SCENES": 1,
    },
}

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def code_of(cell) -> ast.Module:
    """A code cell as Python, with `pass` in place of lines for IPython."""
    return ast.parse(re.sub(r"^(\s*)[%!].*$", r"\1pass", cell.source, flags=re.MULTILINE))


def code_cells(path) -> list:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def parameters_of(cells) -> list:
    return [cell for cell in cells if "parameters" in cell.metadata.get("tags", [])]


def dotted(node) -> str | None:
    """The text of an expression such as `a.b.c`, or None for others."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (owner := dotted(node.value)):
        return f"{owner}.{node.attr}"
    return None


def test_each_has_small_values_and_a_line_in_the_list():
    assert [path.stem for path in NOTEBOOKS] == sorted(SMALL)
    listed = (ROOT / "notebooks" / "README.md").read_text()
    assert all(f"]({path.name})" in listed and f"{SITE}{path.name}" in listed for path in NOTEBOOKS)


@each_notebook
def test_it_opens_with_title_badge_and_install_line(path):
    title, install = nbformat.read(path, as_version=4).cells[:2]
    assert title.source.startswith("# ") and f"({SITE}{path.name})" in title.source
    assert 'if importlib.util.find_spec("keras_cornernet") is None:' in install.source
    (line,) = [line for line in install.source.splitlines() if "%pip" in line]
    package, weights = re.findall(r'"([^"]+)"', line)
    assert re.fullmatch(r"keras_cornernet(\[\w+\])? @ git\+https://[\w./-]+", package)
    assert re.fullmatch(
        r"keras_cornernet_weights @ git\+https://[\w./-]+#subdirectory=saved_models/weights", weights
    )
    extras = re.findall(r"\[(\w+)\]", line)
    assert not {"tf", "tf-cpu", "jax"} & set(extras)  # Colab keeps its own


@each_notebook
def test_it_defines_nothing_and_uses_public_modules(path):
    definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
    readme = (ROOT / "README.md").read_text()
    shown = re.findall(r"^from (keras_cornernet[\w.]*) import", readme, re.MULTILINE)
    for cell in code_cells(path):
        for node in ast.walk(code_of(cell)):
            assert not isinstance(node, definitions), cell.source
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
                assert not any(name.startswith("keras_cornernet.") for name in names), names
            elif isinstance(node, ast.ImportFrom):
                assert not node.module.startswith("keras_cornernet") or node.module in shown, node.module
            elif isinstance(node, ast.Attribute):
                assert not node.attr.startswith("_"), node.attr


@each_notebook
def test_every_name_of_the_package_is_public(path):
    nodes = [node for cell in code_cells(path) for node in ast.walk(code_of(cell))]
    used = {name for node in nodes if (name := dotted(node)) and name.startswith("kc.")}
    assert used
    for first, *rest in (name.split(".")[1:] for name in used):
        assert first in keras_cornernet.__all__, first
        listed = getattr(getattr(keras_cornernet, first), "__all__", None)
        assert not rest or listed is None or rest[0] in listed, f"{first}.{rest[0]}"


@each_notebook
def test_its_sizes_are_set_in_one_cell(path):
    (cell,) = parameters_of(code_cells(path))
    names = [target.id for node in code_of(cell).body for target in node.targets]
    assert names == list(SMALL[path.stem])


@each_notebook
def test_it_is_committed_with_its_outputs(path):
    assert path.stat().st_size < LARGEST
    cells = code_cells(path)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell.outputs]
    assert sum(any(kind.startswith("image/") for kind in output.get("data", {})) for output in outputs) >= 1
    assert sum(output.output_type == "stream" for output in outputs) >= 3
    assert not any(output.output_type == "error" or output.get("name") == "stderr" for output in outputs)


@each_notebook
def test_it_reveals_nothing_about_the_machine(path):
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            for kind in [kind for kind in output.get("data", {}) if kind.startswith("image/")]:
                output.data[kind] = ""
    found = MACHINE.search(json.dumps(notebook))
    assert not found, found
    assert notebook.metadata.kernelspec.name == "python3"


@pytest.mark.slow
@each_notebook
def test_it_runs_with_small_sizes(path, tmp_path, monkeypatch):
    nbclient = pytest.importorskip("nbclient")
    if path.stem.startswith("5"):
        pytest.importorskip("torch", reason="needs PyTorch: pip install 'keras_cornernet[torch]'")
    notebook = nbformat.read(path, as_version=4)
    (cell,) = parameters_of(notebook.cells)
    cell.source = "\n".join(f"{name} = {value!r}" for name, value in SMALL[path.stem].items())
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    folder = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3", resources=folder).execute()
