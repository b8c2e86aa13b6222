"""The guides name files that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDES = ("CONTRIBUTING.md", "docs/architecture.md")
FILE = re.compile(r"`([\w/.]+(?:\.py|\.toml|/))[^`\s]*`")


@pytest.mark.parametrize("guide", GUIDES)
def test_files_exist(guide):
    named = [name for name in FILE.findall((ROOT / guide).read_text()) if "NAME" not in name]
    assert len(named) > 5
    places = ROOT, ROOT / "keras_cornernet", ROOT / "keras_cornernet" / "data"
    assert [name for name in named if not any((place / name).exists() for place in places)] == []
