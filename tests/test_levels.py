"""The rooms of the package: each imports only from levels below, or from itself."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "keras_cornernet"
LEVELS = [
    {"tensors", "interruption", "lazy"},
    {"files", "skeletons", "backend", "checks", "coco_names", "extras"},
    {"bounds", "journal", "devices"},
    {"structures", "ops"},
    {"visualization"},
    {"preprocessing", "results"},
    {"layers", "codecs", "losses", "evaluation"},
    {"models", "data", "training"},
    {"inference"},
    {"presets", "export", "conversion"},
    {"tasks"},
    {"experiment"},
    {"cli"},
    {"__main__"},
]
# A model's own methods reach for what trains, saves and exports it, inside of the method that is called.
UPWARD = {"inference/model.py": {"data", "export", "presets"}}
LEVEL = {room: level for level, rooms in enumerate(LEVELS) for room in rooms}
MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))


def room_of(module: str) -> str:
    return module.split("/")[0].removesuffix(".py")


def imports(module: str) -> set[str]:
    """The dotted names that a module imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse((PACKAGE / module).read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: line {node.lineno}: a relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("module", [m for m in MODULES if m != "__init__.py"])
def test_a_room_imports_only_from_levels_below(module):
    room = room_of(module)
    for name in imports(module):
        parts = name.split(".")
        if parts[0] != "keras_cornernet" or len(parts) < 2:
            continue
        other = parts[1]
        if other == "__version__":
            continue
        allowed = other == room or LEVEL[other] < LEVEL[room] or other in UPWARD.get(module, ())
        assert allowed, f"{module} imports {name}"


def test_every_room_has_a_level():
    assert {room_of(module) for module in MODULES} - {"__init__"} <= set(LEVEL)


def test_tensorflow_is_imported_where_it_must_be_and_nowhere_else():
    with_tensorflow = {m for m in MODULES if any(n.split(".")[0] == "tensorflow" for n in imports(m))}
    others = {module for module in with_tensorflow if room_of(module) != "export"}
    assert others <= {"data/tf_batches.py", "data/readers/tfrecord.py", "backend.py"}


def test_the_backend_module_imports_no_backend_when_it_is_loaded():
    tree = ast.parse((PACKAGE / "backend.py").read_text())
    top = [alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names]
    top += [node.module for node in tree.body if isinstance(node, ast.ImportFrom)]
    assert not {"tensorflow", "jax", "keras"} & {name.split(".")[0] for name in top}


def test_only_conversion_imports_torch():
    with_torch = {room_of(m) for m in MODULES if any(n.split(".")[0] == "torch" for n in imports(m))}
    assert with_torch <= {"conversion"}


def test_only_functions_import_upward():
    for module in UPWARD:
        tree = ast.parse((PACKAGE / module).read_text())
        at_once = {
            n.module.split(".")[1] for n in tree.body if isinstance(n, ast.ImportFrom) and "." in n.module
        }
        assert all(LEVEL[room] <= LEVEL[room_of(module)] for room in at_once if room in LEVEL)


def test_the_command_line_loads_nothing_heavy():
    """Commands import what needs Keras inside functions."""
    light = tuple(
        f"keras_cornernet.{name}"
        for name in ("cli", "backend", "interruption", "journal", "export.precisions")
    )
    for module in (name for name in MODULES if name.startswith("cli/")):
        tree = ast.parse((PACKAGE / module).read_text())
        names = [node.module for node in tree.body if isinstance(node, ast.ImportFrom)]
        assert all(name.startswith(light) for name in names if name.startswith("keras")), module
