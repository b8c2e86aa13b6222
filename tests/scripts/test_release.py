"""The release script, on a small repository; and the description that package indexes show."""

import importlib.util
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHANGES = (
    "# Changelog\n\n## [0.2.0] - unreleased\n\n### Added\n- A thing.\n\n## [0.1.0] - 2026-01-02\n- First.\n"
)


def loaded(path: str):
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


release, setup = loaded("scripts/release.py"), loaded("setup.py")


@pytest.fixture
def repository(tmp_path):
    (tmp_path / "setup.cfg").write_text("[metadata]\nversion = 0.2.0\n")
    (tmp_path / "CHANGELOG.md").write_text(CHANGES)
    (tmp_path / "saved_models" / "weights").mkdir(parents=True)
    (tmp_path / "saved_models/weights/pyproject.toml").write_text('[project]\nversion = "0.2.0"\n')
    git(tmp_path, "init", "-q")
    commit(tmp_path)
    return tmp_path


def git(folder, *arguments):
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def commit(folder):
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "all")


def test_a_version_without_a_day_is_not_ready(repository):
    assert release.problems_of(repository) == [
        "CHANGELOG.md states no day for 0.2.0: --date writes it",
    ]


def test_with_its_day_committed_it_is(repository):
    (repository / "CHANGELOG.md").write_text(release.dated(CHANGES, "0.2.0", "2026-12-01"))
    assert release.problems_of(repository) == ["the work tree has changes that are not committed"]
    commit(repository)
    assert release.problems_of(repository) == []
    git(repository, "tag", "v0.2.0")
    assert release.problems_of(repository) == ["there is a tag v0.2.0 already"]


def test_versions_must_agree(repository):
    (repository / "setup.cfg").write_text("[metadata]\nversion = 0.3.0\n")
    assert release.problems_of(repository) == [
        "the weights have version 0.2.0, the package 0.3.0",
        "CHANGELOG.md has no heading '## [0.3.0] - DATE'",
    ]


def test_the_notes_are_those_of_the_version():
    assert release.section_of(CHANGES, "0.2.0") == ("unreleased", "### Added\n- A thing.")
    assert release.section_of(CHANGES, "0.1.0") == ("2026-01-02", "- First.")
    with pytest.raises(ValueError, match="such as 2026-12-01, not soon"):
        release.dated(CHANGES, "0.2.0", "soon")


def test_this_version_has_notes_in_the_order_of_keep_a_changelog():
    day, notes = release.section_of((ROOT / "CHANGELOG.md").read_text(), release.version_of(ROOT))
    assert day == "unreleased" or day.count("-") == 2
    kinds = [line.removeprefix("### ") for line in notes.splitlines() if line.startswith("### ")]
    assert kinds and kinds == [
        kind for kind in ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security") if kind in kinds
    ]


PAGE = "![People](a/demo.jpg)\n\nSee [the guide](docs/a.md), [a part](#part) and [Keras](https://keras.io).\n"


def test_without_an_address_pictures_are_left_out_and_links_are_text():
    assert setup.for_index(PAGE, None) == "\n\nSee the guide, a part and [Keras](https://keras.io).\n"


def test_with_an_address_both_are_absolute():
    text = setup.for_index(PAGE, "https://example.org/o/n")
    assert "![People](https://example.org/o/n/raw/main/a/demo.jpg)" in text
    assert "[the guide](https://example.org/o/n/blob/main/docs/a.md)" in text
    assert "[a part](https://example.org/o/n/blob/main/README.md#part)" in text
