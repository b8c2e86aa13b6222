"""Pages of the site that stand elsewhere in the repository, and links from one to the other.

Cards of models, the changelog, CONTRIBUTING and the exports' figures become pages as they are; pictures
outside of `docs` are copied. In the repository the links of the pages lead to the files themselves. Pages
that `nav` does not list yet are put into it by their folder.
"""

import os
import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
CARDS = "saved_models/weights/keras_cornernet_weights"
WHOLE = {
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "saved_models/README.md": "exported.md",
    "saved_models/weights/README.md": "models/weights.md",
}
SECTIONS = {"how_to": "How to", "coming_from": "Coming from", "ideas": "How it works", "": "How to"}
LINK = re.compile(r"(\]\()([^()\s]+)(\))")


def sources() -> dict[str, str]:
    """For each page or picture outside of `docs` its path in the repository, and its place in the site."""
    cards = {path.relative_to(ROOT).as_posix(): f"models/{path.name}" for path in (ROOT / CARDS).glob("*.md")}
    pictures = [*(ROOT / CARDS).glob("*.png"), *(ROOT / "notebooks/pictures").iterdir()]
    return {**WHOLE, **cards, **{p.relative_to(ROOT).as_posix(): f"pictures/{p.name}" for p in pictures}}


def on_config(config: Any) -> Any:
    """Puts cards, reference and further pages into the navigation."""
    sections = {
        name: value for entry in config.nav if isinstance(entry, dict) for name, value in entry.items()
    }
    cards = sorted(place for place in sources().values() if place.startswith("models/"))
    sections["Models"] += [
        *(place for place in cards if "weights" not in place),
        {"Weights": "models/weights.md"},
    ]
    docs = Path(config.docs_dir)
    reference = sorted(path.name for path in (docs / "reference").glob("*.md") if path.stem != "index")
    sections["Reference"] += [f"reference/{name}" for name in reference]
    sections["Project"] += [{"Exported models": "exported.md"}, {"Contributing": "contributing.md"}]
    sections["Project"] += [{"Changelog": "changelog.md"}]
    listed = set(re.findall(r"[\w/]+\.md", str(config.nav)))
    for path in sorted(docs.rglob("*.md")):
        place = path.relative_to(docs).as_posix()
        folder = place.rpartition("/")[0]
        if place not in listed and folder in SECTIONS:
            sections[SECTIONS[folder]].append(place)
    return config


def on_files(files: Files, config: Any) -> Files:
    """Adds the pages and pictures that stand outside of `docs`."""
    for source, place in sources().items():
        path = ROOT / source
        content = path.read_text(encoding="utf-8") if path.suffix == ".md" else path.read_bytes()
        files.append(File.generated(config, place, content=content))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Links to where things are in the site; to what is not in it, no link."""
    places = sources()
    origin = {place: source for source, place in places.items()}.get(page.file.src_uri)
    base = posixpath.dirname(origin or f"docs/{page.file.src_uri}")

    def moved(match: re.Match[str]) -> str:
        target, _, anchor = match[2].partition("#")
        if re.match(r"[a-z]+:", match[2]) or not target:
            return match[0]
        path = posixpath.normpath(posixpath.join(base, target))
        place = places.get(path, path.removeprefix("docs/") if path.startswith("docs/") else None)
        if place is None or files.get_file_from_path(place) is None:
            return f"]{{{path}}}"  # turned into text below
        start = posixpath.dirname(page.file.src_uri)
        return f"{match[1]}{os.path.relpath(place, start or '.')}{'#' if anchor else ''}{anchor}{match[3]}"

    if page.file.src_uri == "reference/index.md":
        rooms = sorted(path.name for path in (ROOT / "docs/reference").glob("*.md") if path.stem != "index")
        markdown += "\n\n" + "\n".join(f"- [{Path(name).stem}]({name})" for name in rooms)
    if page.file.src_uri == "reference/commands.md":
        markdown += commands()
    text = LINK.sub(moved, markdown)
    text = re.sub(r"!?\[([^\[\]]*)\]\{[^{}\s]+\}", r"\1", text)
    return re.sub(r"^<!-- (not run|run with).*-->\n", "", text, flags=re.MULTILINE)


def commands() -> str:
    """The help of each command, as it is printed."""
    import typer.main
    from typer.testing import CliRunner

    from keras_cornernet import cli

    runner = CliRunner(env={"COLUMNS": "100", "TERM": "dumb", "NO_COLOR": "1"})
    names = typer.main.get_command(cli.app).commands
    pages = [
        f"\n\n## {name}\n\n```text\n{runner.invoke(cli.app, [name, '--help']).output.strip()}\n```"
        for name in names
    ]
    return "".join(pages)
