"""The provenance of a model: grown by training, inherited by files and exports."""

import hashlib
import json
from types import SimpleNamespace

import numpy as np
import pytest
from exportable import detector
from PIL import Image
from typer.testing import CliRunner

from keras_cornernet import from_preset, save_model
from keras_cornernet.cli.app import app
from keras_cornernet.cli.data_sets import DataSets
from keras_cornernet.cli.models import describe_model
from keras_cornernet.experiment.origin import sources_of, start_of
from keras_cornernet.export.exported import describe
from keras_cornernet.presets import provenance_of
from keras_cornernet.structures import DataSource, Parent, Provenance

OLD = Provenance((DataSource("old", "ask first", 3, "ef"),), (Parent("grandparent"),))


@pytest.fixture
def started(tmp_path):
    model = detector()
    model.provenance = OLD
    return save_model(model, tmp_path / "started.keras")


@pytest.fixture
def coco(tmp_path):
    """A data set of two images whose file names its license."""
    for name in ("1.png", "2.png"):
        Image.fromarray(np.zeros((32, 48, 3), np.uint8)).save(tmp_path / name)
    boxes = [{"id": i, "image_id": i, "category_id": 3, "bbox": [2, 3, 20, 20]} for i in (1, 2)]
    content = {
        "info": {},
        "licenses": [{"id": 1, "name": "CC BY 4.0"}],
        "images": [{"id": i, "file_name": f"{i}.png", "width": 48, "height": 32} for i in (1, 2)],
        "annotations": boxes,
        "categories": [{"id": 3, "name": "cat"}, {"id": 8, "name": "dog"}],
    }
    path = tmp_path / "labels.json"
    path.write_text(json.dumps(content))
    return path


def test_files_and_exports_inherit_it(started):
    assert provenance_of(started) == from_preset(started).provenance == OLD
    assert Provenance.from_json(describe(from_preset(started)).provenance) == OLD
    assert describe_model(str(started)).provenance == OLD.to_json()
    assert "trained on old, 3 images or people; terms: ask first" in str(describe_model(str(started)))
    changed = from_preset(started, num_classes=5)
    assert changed.provenance == OLD


def test_a_start_is_a_parent(started):
    sha256 = hashlib.sha256(started.read_bytes()).hexdigest()
    start = start_of(str(started))
    assert start == OLD.grown(parents=[Parent("started", sha256)])
    assert start_of("cornernet_small", weights=started) == start
    assert start_of("cornernet_small") is None
    assert start_of("cornernet_bccd", trained=False) is None


def test_a_damaged_provenance_is_named(tmp_path):
    model = detector()
    model.network.metadata = {"provenance": {"data": 3}}
    path = tmp_path / "damaged.keras"
    model.network.save(path)
    for opened in (provenance_of, from_preset):
        with pytest.raises(ValueError, match=r"damaged.keras.*provenance.data must be a list"):
            opened(path)


def test_joined_sets_are_told_apart():
    parts = [SimpleNamespace(name="a", count=1), SimpleNamespace(name="b", count=2)]
    dataset = SimpleNamespace(samples=[1.0, 2.0, 3.0], parts=parts)
    first, second = sources_of(dataset, terms={"b": "mine"})
    assert (first.name, first.terms, first.items) == ("a", "not stated", 1)
    assert (second.name, second.terms, second.items) == ("b", "mine", 2)
    assert sources_of(SimpleNamespace(samples=[2.0, 3.0], parts=()), "c")[0].sha256 == second.sha256


def test_terms_are_given_or_read(coco):
    def stated(**more):
        return DataSets(annotations=coco, images=coco.parent, **more).stated_terms()

    assert stated() == {str(coco): "CC BY 4.0"}
    assert stated(terms=["private"]) == {str(coco): "private"}
    with pytest.raises(ValueError, match="terms: expected one"):
        stated(terms=["a", "b"])
    coco.write_text('{"licenses": "none", "images": []}')
    assert stated() == {}


@pytest.mark.slow
def test_training_says_what_it_starts_from_and_adds_its_data(started, coco, tmp_path, caplog):
    output = tmp_path / "run"
    options = [
        "--annotations",
        str(coco),
        "--images",
        str(tmp_path),
        "--epochs",
        "1",
        "--output",
        str(output),
    ]
    with caplog.at_level("INFO"):
        result = CliRunner().invoke(app, ["train", str(started), *options])
    assert result.exit_code == 0, result.output
    (line,) = (line for line in caplog.messages if line.startswith("starts from"))
    assert line.startswith("starts from started, trained on old (terms: ask first)")
    assert "--from-scratch" in line
    told = from_preset(output / "last.keras").provenance
    assert [(source.name, source.terms, source.items) for source in told.data] == [
        ("old", "ask first", 3),
        ("labels.json", "CC BY 4.0", 2),
    ]
    assert [parent.name for parent in told.parents] == ["started", "grandparent"]
    anew = ["--annotations", str(coco), "--images", str(tmp_path), "--output", str(output)]
    resumed = CliRunner().invoke(app, ["train", str(started), *anew, "--epochs", "2", "--resume"])
    assert resumed.exit_code == 0, resumed.output
    assert from_preset(output / "last.keras").provenance == told
    refused = CliRunner().invoke(app, ["train", str(started), *options, "--from-scratch"])
    assert refused.exit_code == 2
