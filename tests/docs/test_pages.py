"""Every code block of README and of the pages in docs runs, on small drawn data.

Python blocks are executed, page by page, one after the other; `keras-cornernet` commands run in this process.
To be quick, runs last one epoch of two images, and a tiny untrained model replaces each trained one. `pip
install` lines must name extras and folders that exist. A block that cannot run on a bare machine says so in a
comment before it, `<!-- not run: REASON -->`, and is counted here; one that asks a server, `<!-- run with a
server -->`, is run by `tests/export/test_serving.py`.
"""

import configparser
import json
import re
import shlex
import shutil
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import command_line
import exportable
import keras
import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from keras_cornernet import presets
from keras_cornernet.data.scenes import draw_scene, make_scenes
from keras_cornernet.structures import Categories

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"(?:^<!-- (not run: [^\n>]+|run with a server) -->\n)?^```(\w+)\n(.*?)^```", re.M | re.S)
# How many blocks of a page are not run: a new one has to be entered here.
NOT_RUN = {
    "docs/coming_from/mmpose.md": 1,
    "docs/how_to/boxes.md": 2,
    "docs/how_to/checkpoints.md": 1,
    "docs/how_to/export.md": 1,
    "docs/how_to/many_machines.md": 2,
    "docs/models.md": 1,
    "docs/server.md": 3,
}
# Commands and pages that other tests run.
ELSEWHERE = {
    "demo": "tests/cli/test_pose_commands.py",
    "python -m pytest": "this",
    "mkdocs": "tests/docs/test_site.py",
    "PYTHONPATH=. python benchmarks/": "tests/docs/test_benchmarks.py",
}
LANGUAGES = {"bash", "gradle", "html", "javascript", "js", "json", "kotlin", "python", "text"}
SMALL = {"--epochs": "1", "--batch-size": "2", "--minutes": "0.1", "--count": "6", "--input-size": "64x64"}


class Block(NamedTuple):
    """A code block; `marker` is the comment before it, or empty."""

    marker: str
    language: str
    code: str


def blocks_of(page: Path) -> list[Block]:
    return [Block(marker or "", *rest) for marker, *rest in BLOCK.findall(page.read_text())]


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


#: Pages of others, whose blocks have tests of their own.
TESTED_ELSEWHERE = {
    "docs/phone.md": "tests/export",
    "docs/coming_from/keras_retinanet.md": "tests/export",
    "docs/coming_from/model_maker.md": "tests/export",
    "docs/own_skeleton_to_phone.md": "tests/docs/test_own_skeleton_page.py and tests/runtime",
    "docs/architecture.md": "text alone",
}
RUN = [
    page
    for page in PAGES
    if name_of(page) not in TESTED_ELSEWHERE
    and any(not b.marker and b.language in ("bash", "python") for b in blocks_of(page))
]


def test_blocks_that_are_not_run_are_counted_and_have_a_reason():
    counts = {
        name_of(page): sum(block.marker.startswith("not run: ") for block in blocks_of(page))
        for page in PAGES
    }
    assert {name: count for name, count in counts.items() if count} == NOT_RUN


def test_every_block_has_a_language_that_is_known():
    for page in PAGES:
        fences = re.findall(r"^```(\w*)$", page.read_text(), re.MULTILINE)
        assert set(fences[::2]) <= LANGUAGES | ({""} if page.stem == "architecture" else set()), page
        for block in blocks_of(page):
            if block.language == "json":
                json.loads(block.code)


def test_pip_lines_name_extras_and_folders_that_exist():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    extras = set(config["options.extras_require"])
    found = 0
    for page in PAGES:
        for line in re.findall(r"pip install ([^&`\n#]+)", page.read_text()):
            for target in re.findall(r"(\.|keras_cornernet)\[([\w,-]+)\]", line):
                assert set(target[1].split(",")) <= extras, (name_of(page), line)
                found += 1
            for folder in re.findall(r"(?<=\s)(\./[\w/]+)", line):
                assert (ROOT / folder / "pyproject.toml").is_file(), (name_of(page), line)
    assert found > 5


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """The files that the pages name."""
    folder = tmp_path_factory.mktemp("data")
    for part in ("train", "val", "pets", "people"):
        make_scenes(folder / part, 4, seed=1, size=(48, 64))
    for part in ("train", "val"):
        shutil.move(folder / part / "annotations.json", folder / f"{part}.json")
        images = folder / part / "images"
        for path in images.iterdir():
            shutil.copy(path, folder / part)
    shutil.rmtree(folder / "val" / "images")
    shutil.rmtree(folder / "train" / "images")
    (folder / "train" / "images").mkdir()
    (folder / "photos").mkdir()
    Image.fromarray(draw_scene(3, (48, 64))[0]).save(folder / "photo.jpg")
    shutil.copy(folder / "photo.jpg", folder / "photos" / "1.jpg")
    shutil.copy(folder / "photo.jpg", folder / "street.jpg")
    for number in (1, 2):
        path = folder / "train" / "images" / f"im{number:05}.jpg"
        Image.fromarray(draw_scene(number, (48, 64))[0]).save(path)
    joints = np.random.default_rng(0).uniform(10, 40, (14, 3, 2))
    joints[:, 2] = 1  # annotated
    savemat(folder / "train" / "joints.mat", {"joints": joints})
    return folder


@pytest.fixture
def prepared(data, tmp_path, monkeypatch):
    """Changes into a folder with the data, and makes presets and trained weights small."""
    shutil.copytree(data, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    narrow = {
        "objects_as_points_small": ((64, 64), {**exportable.SIZES, "head_channels": 8}),
        "hourglass_phone": ((32, 32), {**exportable.SIZES, "stem": (4, 4), "stem_kernel_size": 3}),
    }
    for name, (size, arguments) in narrow.items():
        preset = presets.PRESETS[name]
        settings = replace(preset.settings, input_size=size)
        small = replace(preset, arguments=arguments, input_size=size, settings=settings)
        monkeypatch.setitem(presets.PRESETS, name, small)
    (tmp_path / ".tiny").mkdir()
    people = exportable.detector()
    people.categories = Categories(("person", "dog"), (1, 2))
    people.save(tmp_path / ".tiny" / "detector.keras")
    exportable.estimator().save(tmp_path / ".tiny" / "pose.keras")

    def tiny(name: str) -> Path:
        return tmp_path / ".tiny" / ("pose.keras" if name.startswith("hourglass") else "detector.keras")

    for module in (
        "keras_cornernet.presets.loading.weights_path",
        "keras_cornernet.presets.loading.find_weights",
    ):
        monkeypatch.setattr(module, tiny)
    return tmp_path


def run_shell(code: str) -> None:
    """Runs the `keras-cornernet` commands of a block; raises for a command that nothing checks."""
    for line in code.replace("\\\n", " ").splitlines():
        for command in filter(None, (part.strip() for part in line.split("&&"))):
            words = shlex.split(command, comments=True)
            if not words or words[0] in ("pip", "source") or words[:3] == ["python", "-m", "venv"]:
                continue
            if any(command.startswith(start) for start in ELSEWHERE):
                continue
            assert words[0] == "keras-cornernet", f"neither run nor marked: {command}"
            if words[1] in ELSEWHERE:
                continue
            values = [SMALL.get(before, word) for before, word in pairwise(words[1:])]
            done = command_line.run(words[1], *values)
            assert done.exit_code == 0, f"{command}\n{done.output}\n{done.exception!r}"


@pytest.mark.slow
@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the pages export, and read by tf.data")
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("page", RUN, ids=name_of)
def test_the_blocks_of_a_page_run(page, prepared):
    names: dict[str, object] = {}
    for block in blocks_of(page):
        if block.marker:
            continue
        if block.language == "python":
            exec(re.sub(r"epochs=\d+", "epochs=1", block.code), names)
        elif block.language == "bash":
            run_shell(block.code)
