"""Files of results that a later run goes on with."""

import json

import pytest

from keras_cornernet.journal import Journal, shard_name, shard_of, write_rows

WORK = {"model": "a", "options": [0.5, None, ("x",)]}


def test_a_later_run_finds_what_is_done(tmp_path):
    path = tmp_path / "found.jsonl"
    with Journal(path, WORK) as journal:
        journal.add(tmp_path / "1.jpg", {"boxes": [1]})
        journal.add("2.jpg", {"boxes": []})
        assert [json.loads(line)["key"] for line in path.read_text().splitlines()[1:]][-1] == "2.jpg"
    again = Journal(path, WORK, resume=True)
    assert len(again) == 2 and str(tmp_path / "1.jpg") in again and "3.jpg" not in again
    with again:
        again.add("3.jpg", {"boxes": [3]})
    assert [row["boxes"] for row in again.rows()] == [[1], [], [3]]
    assert len(Journal(path, WORK)) == 0


@pytest.mark.parametrize("cut", range(1, 40))
def test_whatever_a_killed_run_left_half_written_is_taken_off(tmp_path, cut):
    path = tmp_path / "found.jsonl"
    with Journal(path, WORK) as journal:
        journal.add("1", {"boxes": [1]})
        journal.add("2", {"boxes": [2, 3, 4, 5, 6, 7, 8]})
    content = path.read_bytes()
    path.write_bytes(content[:-cut])
    with Journal(path, WORK, resume=True) as journal:
        assert "1" in journal and "2" not in journal
        journal.add("2", {"boxes": [2, 3, 4, 5, 6, 7, 8]})
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "no whole line"),
        ("half", "no whole line"),
        ("[1]\n", "line 1 is not of"),
        ("{}\n", "line 1 does not say"),
        ('{"run": {"model": "b"}}\n', "the results are of model = 'b', now it is 'a'"),
        ('{"run": {"model": "a"}}\n{"key": 3}\n', "line 2 is not of"),
        ('{"run": {"model": "a"}}\n\xff\n', "line 2 is not of"),
    ],
)
def test_other_files_are_named(tmp_path, content, message):
    path = tmp_path / "found.jsonl"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(ValueError, match=rf"found\.jsonl.*{message}"):
        Journal(path, {"model": "a"}, resume=True)
    assert path.read_text(encoding="latin-1") == content


def test_tables_of_any_length(tmp_path):
    path = write_rows(tmp_path / "a.json", {"images": iter([{"id": 1}, {"id": 2}]), "none": iter(())})
    assert json.loads(path.read_text()) == {"images": [{"id": 1}, {"id": 2}], "none": []}
    assert json.loads(write_rows(tmp_path / "b.json", iter([1, "x"])).read_text()) == [1, "x"]
    assert json.loads(write_rows(tmp_path / "c.json", iter([])).read_text()) == []


def test_shards_share_everything_once():
    items = list(range(23))
    parts = [shard_of(items, (i, 4)) for i in range(1, 5)]
    assert sorted(item for part in parts for item in part) == items and shard_of(items, None) == items
    assert shard_name("out/found.json", (2, 4)).as_posix() == "out/found-2-of-4.json"
