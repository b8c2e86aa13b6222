"""The runtime in JavaScript, in Node and in headless Chromium, against Python's answers."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from following_cases import RUNTIME, STORED, check_answers
from headless_browser import serve

HERE = Path(__file__).parent
PAGE = """<!doctype html><script type="module">
import { followed } from "./follow.js";
const answers = await followed(await (await fetch("following.json")).json()).catch((error) => error.message);
await fetch("/found", { method: "POST", body: JSON.stringify(answers) });
</script>"""
PROGRAM = """
import { readFile } from "node:fs/promises";
import { followed } from "./follow.js";
console.log(JSON.stringify(await followed(JSON.parse(await readFile("following.json", "utf8")))));
"""


@pytest.fixture
def folder(tmp_path):
    """The runtime, the frames, and what follows them."""
    shutil.copytree(RUNTIME / "js", tmp_path / "js")
    for path in (RUNTIME / "js" / "package.json", HERE / "follow.js", STORED):
        shutil.copy(path, tmp_path)
    return tmp_path


def run_node(folder, program):
    """What a program writes."""
    if shutil.which("node") is None:
        pytest.skip("no Node: apt-get install nodejs")
    (folder / "program.mjs").write_text(program)
    done = subprocess.run(
        ["node", "program.mjs"], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_follows_as_python_does_in_node(folder):
    check_answers(json.loads(run_node(folder, PROGRAM)))


def test_settings_that_it_does_not_know_are_named(folder):
    program = """
        import { PersonFollower } from "./js/following.js";
        try { new PersonFollower(null, null, { minscore: 0.5 }); }
        catch (error) { console.log(error.message); }
    """
    assert run_node(folder, program).strip() == "unknown settings: minscore"


@pytest.mark.slow
def test_it_follows_as_python_does_in_a_browser(folder):
    (folder / "index.html").write_text(PAGE)
    with serve(folder) as site:
        check_answers(site.report_of("index.html"))
