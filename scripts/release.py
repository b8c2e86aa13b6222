"""Makes a release ready: `python scripts/release.py [--date DATE] [--tag] [--upload REPOSITORY]`.

Without options it only looks: whether the work tree is clean, whether package, weights and changelog agree
on the version, whether a tag of it exists; then it builds and tests both distributions (`.ci/distributions
--keep dist`) and prints the release notes. `--date` writes the day into the changelog, to be committed.
`--tag` makes the annotated tag here. Only `--upload` sends something: the distributions, by twine.
"""

import argparse
import configparser
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def version_of(root: Path) -> str:
    """The version that `setup.cfg` states."""
    config = configparser.ConfigParser()
    config.read(root / "setup.cfg", encoding="utf-8")
    return config["metadata"]["version"]


def section_of(changelog: str, version: str) -> tuple[str, str]:
    """What a changelog in Keep a Changelog's form says of a version.

    Returns:
        The day, or `"unreleased"`, and the text below the heading.

    Raises:
        ValueError: it has no section of that version.
    """
    found = re.search(rf"^## \[{re.escape(version)}\] - (\S+)\n(.*?)(?=^## |\Z)", changelog, re.M | re.S)
    if found is None:
        raise ValueError(f"CHANGELOG.md has no heading '## [{version}] - DATE'")
    return found[1], found[2].strip()


def dated(changelog: str, version: str, date: str) -> str:
    """The changelog with the day of a release.

    Raises:
        ValueError: `date` is no day such as 2026-12-01.
    """
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", date):
        raise ValueError(f"--date takes a day such as 2026-12-01, not {date}")
    section_of(changelog, version)
    heading = rf"^(## \[{re.escape(version)}\] - )\S+"
    return re.sub(heading, rf"\g<1>{date}", changelog, flags=re.M)


def problems_of(root: Path) -> list[str]:
    """What stands in the way of a release, one sentence each."""
    version = version_of(root)
    weights = tomllib.loads((root / "saved_models/weights/pyproject.toml").read_text(encoding="utf-8"))
    problems = []
    if weights["project"]["version"] != version:
        problems.append(f"the weights have version {weights['project']['version']}, the package {version}")
    try:
        day, notes = section_of((root / "CHANGELOG.md").read_text(encoding="utf-8"), version)
    except ValueError as error:
        return [*problems, str(error)]
    if day == "unreleased":
        problems.append(f"CHANGELOG.md states no day for {version}: --date writes it")
    if not notes:
        problems.append(f"CHANGELOG.md says nothing of {version}")
    if _git(root, "status", "--porcelain"):
        problems.append("the work tree has changes that are not committed")
    if _git(root, "tag", "--list", f"v{version}"):
        problems.append(f"there is a tag v{version} already")
    return problems


def _git(root: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", "-C", str(root), *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--date", help="write this day into CHANGELOG.md, and nothing else")
    parser.add_argument("--tag", action="store_true", help="make the tag, in this clone alone")
    parser.add_argument("--upload", metavar="REPOSITORY", help="send the distributions, such as to testpypi")
    chosen = parser.parse_args()
    version = version_of(ROOT)
    changelog = ROOT / "CHANGELOG.md"
    if chosen.date:
        text = dated(changelog.read_text(encoding="utf-8"), version, chosen.date)
        changelog.write_text(text, encoding="utf-8")
        print(f"{changelog}: {version} has the day {chosen.date}; commit it")
        return 0
    problems = problems_of(ROOT)
    for problem in problems:
        print(f"not yet: {problem}", file=sys.stderr)
    if problems and (chosen.tag or chosen.upload):
        return 1
    if (ROOT / "dist").exists():
        print(f"{ROOT / 'dist'} is left from another build: remove it first", file=sys.stderr)
        return 1
    subprocess.run(["bash", str(ROOT / ".ci/distributions"), "--keep", str(ROOT / "dist")], check=True)
    notes = section_of(changelog.read_text(encoding="utf-8"), version)[1]
    print(f"\nkeras_cornernet {version}\n\n{notes}")
    if chosen.tag:
        _git(
            ROOT,
            "tag",
            "--annotate",
            f"v{version}",
            "--cleanup=verbatim",
            "--message",
            f"{version}\n\n{notes}",
        )
        print(f"\ntag v{version} is made here; `git push origin v{version}` publishes it")
    if chosen.upload:
        files = [str(path) for path in sorted((ROOT / "dist").iterdir())]
        subprocess.run(["twine", "upload", "--repository", chosen.upload, *files], check=True)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
