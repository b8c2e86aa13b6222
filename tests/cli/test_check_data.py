"""The pictures of `check-data`: the targets are those that the preset's network is taught."""

import json

import numpy as np
import pytest
from PIL import Image

from keras_cornernet import visualization
from keras_cornernet.cli.check_data import check_dataset
from keras_cornernet.cli.data_sets import DataSets
from keras_cornernet.codecs import CornerCodec, SaccadeCodec, TripletCodec

BOX = (20.0, 40.0, 70.0, 90.0)


@pytest.mark.parametrize(
    ("preset", "size", "codec", "grids"),
    [
        ("cornernet_small", (320, 448), CornerCodec(1), [(40, 56)]),
        ("cornernet_squeeze", (511, 511), CornerCodec(1), [(64, 64)]),
        ("centernet_hourglass52", (511, 511), TripletCodec(1), [(128, 128)] * 2),
        ("cornernet_saccade", (255, 255), SaccadeCodec(1), [(64, 64), (16, 16), (32, 32), (64, 64)]),
    ],
)
def test_every_heatmap_that_the_network_is_taught_is_drawn(preset, size, codec, grids, tmp_path, monkeypatch):
    x1, y1, x2, y2 = BOX
    found = {
        "images": [{"id": 1, "file_name": "a.png", "height": size[0], "width": size[1]}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [x1, y1, x2 - x1, y2 - y1]}],
        "categories": [{"id": 1, "name": "thing"}],
    }
    (tmp_path / "a.json").write_text(json.dumps(found))
    Image.new("RGB", size[::-1], (90, 120, 60)).save(tmp_path / "a.png")
    seen, draw = [], visualization.draw_heatmap

    def spy(image, heatmap):
        seen.append(heatmap)
        return draw(image, heatmap)

    monkeypatch.setattr(visualization, "draw_heatmap", spy)
    checked = check_dataset(
        DataSets(annotations=tmp_path / "a.json", images=tmp_path), tmp_path / "out", preset=preset
    )
    assert [heatmap.shape for heatmap in seen] == grids
    annotations = {"boxes": np.array([[BOX]], np.float32), "labels": np.zeros((1, 1), np.int32)}
    targets = codec.encode(annotations, size, grids[0])
    expected = [np.maximum(*(np.asarray(targets[name]["heatmap"]) for name in ("top_left", "bottom_right")))]
    expected += [np.asarray(targets[name]["heatmap"]) for name in targets if name == "center"]
    expected += [np.asarray(level) for level in targets.get("attention", {}).values()]
    for heatmap, target in zip(seen, expected, strict=True):
        np.testing.assert_allclose(heatmap, target[0, ..., 0], atol=1e-6)
    with Image.open(*checked.pictures) as picture:
        assert picture.width == (1600 if len(grids) == 1 else 2400)
