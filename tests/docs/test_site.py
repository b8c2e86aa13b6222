"""The site is built strictly, without the network, and has all pages."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (find_spec("material") and find_spec("mkdocstrings")), reason="needs the extra docs"
    ),
]
# Attributes whose address a browser fetches by itself.
FETCHED = re.compile(r'<(?:script|img|iframe)[^>]*\ssrc="(https?:[^"]+)"|<link[^>]*href="(https?:[^"]+)"')


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the built site."""
    folder = tmp_path_factory.mktemp("site")
    # No address is reachable: a theme that fetched fonts would fail.
    closed = {
        name: "http://127.0.0.1:9" for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
    }
    run = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, **closed, "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return folder


def test_every_page_and_every_card_is_there(site):
    pages = {path.relative_to(ROOT / "docs").with_suffix(".html") for path in (ROOT / "docs").rglob("*.md")}
    cards = (ROOT / "saved_models/weights/keras_cornernet_weights").glob("*.md")
    pages |= {Path("models") / f"{card.stem}.html" for card in cards}
    assert [page for page in sorted(pages) if not (site / page).is_file()] == []


def test_every_page_is_in_the_navigation(site):
    start = (site / "index.html").read_text()
    for path in (ROOT / "docs").rglob("*.md"):
        place = path.relative_to(ROOT / "docs").with_suffix(".html").as_posix()
        assert f'href="{place}"' in start, place


def test_links_within_the_site_lead_to_pages(site):
    for page in site.rglob("*.html"):
        if page.name == "404.html":
            continue
        for target in re.findall(r'href="([^"#:?]+\.html)', page.read_text()):
            assert (page.parent / target).is_file(), f"{page.relative_to(site)}: {target}"


def test_nothing_is_fetched_from_elsewhere(site):
    for page in site.rglob("*.html"):
        assert FETCHED.findall(page.read_text()) == [], page.name


def test_the_reference_has_docstrings_and_the_help_of_commands(site):
    models = (site / "reference" / "models.html").read_text()
    assert (
        "class CornerNet" in re.sub(r"<[^>]+>", "", models)
        or 'id="keras_cornernet.models.CornerNet"' in models
    )
    assert "--val-fraction" in (site / "reference" / "commands.html").read_text()
    assert "not run:" not in (site / "server.html").read_text()
