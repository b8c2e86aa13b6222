import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_cornernet.data.checking import check_images, summarize
from keras_cornernet.data.readers import read_coco
from keras_cornernet.structures import Boxes, Categories, DetectionDataset, Sample

BCCD = Path(__file__).parents[2] / ".." / "shared" / "data" / "bccd"
CLASSES = Categories(("cat", "dog"), (1, 2))


def sample(path="a.png", size=None, widths=(), labels=None, ignore=None, image_id=1):
    n = len(widths)
    xyxy = np.array([[0, 0, w, 2 * w] for w in widths], np.float32).reshape(-1, 4)
    boxes = Boxes(xyxy, np.array(labels or [0] * n, np.int32), np.array(ignore or [False] * n, bool))
    return Sample(str(path), image_id, size, boxes)


def problems(*samples, **options):
    return [str(problem) for problem in check_images(DetectionDataset(samples, CLASSES), **options)]


def test_sound_images_have_no_faults(tmp_path):
    Image.new("L", (30, 20)).save(tmp_path / "grey.png")
    Image.fromarray(np.zeros((20, 30), np.uint16)).save(tmp_path / "deep.png")
    assert problems(sample(tmp_path / "grey.png", (20, 30)), sample(tmp_path / "deep.png")) == []


def test_broken_images_are_named(tmp_path):
    whole = tmp_path / "whole.jpg"
    Image.effect_noise((200, 200), 50).save(whole)
    cut, text, empty = tmp_path / "cut.jpg", tmp_path / "text.jpg", tmp_path / "empty.jpg"
    cut.write_bytes(whole.read_bytes()[:2000])
    text.write_text("not an image")
    empty.touch()
    samples = tuple(map(sample, (cut, whole, text, empty, tmp_path / "none.jpg", tmp_path)))
    found = check_images(DetectionDataset(samples, CLASSES))
    assert [problem.path for problem in found] == [
        str(path) for path in (cut, text, empty, tmp_path / "none.jpg", tmp_path)
    ]
    reasons = ("cannot be read (", "not an image", "not an image", "no such file", "not a file but a folder")
    assert all(words in problem.reason for words, problem in zip(reasons, found, strict=True))
    assert all(problem.costs_image and not problem.where for problem in found)


def test_other_sizes_are_named(tmp_path):
    path, turned = tmp_path / "a.png", tmp_path / "turned.jpg"
    Image.new("RGB", (30, 20)).save(path)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (30, 20)).save(turned, exif=exif)
    assert problems(sample(turned, (30, 20))) == []
    assert problems(sample(path, (20, 31)), sample(turned, (20, 30))) == [
        f"{path}: the image is 30x20 (width x height), its annotations state 31x20",
        f"{turned}: the image is 20x30 (width x height) after its EXIF rotation, its annotations state 30x20",
    ]


def test_progress_sees_every_image(tmp_path):
    seen = []
    problems(sample(), sample(), progress=lambda images: (seen.append(s) or s for s in images))
    assert len(seen) == 1  # the two samples are one file
    problems(sample(), sample(), progress=list)


def test_summary():
    dataset = DetectionDataset(
        (
            sample(widths=[1, 2, 3, 4], labels=[0, 1, 1, 0], ignore=[True, False, False, False]),
            sample(),
            sample(widths=[8] * 129),
        ),
        CLASSES,
        ("one fault",),
    )
    summary = summarize(dataset)
    assert json.loads(json.dumps(summary)) == summary
    assert (summary["images"], summary["images_without_boxes"], summary["images_over_128_objects"]) == (
        3,
        1,
        1,
    )
    assert (summary["boxes"], summary["ignored"], summary["problems"]) == (133, 1, 1)
    assert summary["boxes_per_class"] == {"cat": 130, "dog": 2}
    assert summary["boxes_per_image"] == {"median": 4.0, "max": 129}
    assert summary["box_width"] == {"min": 1, "q05": 8, "median": 8, "q95": 8, "max": 8}
    assert summary["box_height"]["min"] == 2 and summary["box_size"]["max"] == pytest.approx(11.31)


def test_summary_of_nothing():
    summary = summarize(DetectionDataset((), Categories((), ())))
    assert summary["boxes"] == 0 and summary["box_width"] is None
    assert summary["boxes_per_image"] == {"median": 0.0, "max": 0}


@pytest.mark.skipif(not BCCD.is_dir(), reason="the BCCD data are not beside the repository")
def test_bccd():
    dataset = read_coco(BCCD / "instances_val.json", BCCD / "val")
    assert check_images(dataset) == []
    assert summarize(dataset)["boxes_per_class"] == {"RBC": 967, "WBC": 87, "Platelets": 83}
