"""Exports of labelling tools, imitated to their documentation: all read as the same boxes."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_cornernet.data.readers import find_part, read_dataset
from keras_cornernet.data.readers.folders import formats_of_folder

NAMES = ("cat", "dog")
# For each image its size (width, height) and its boxes: class, x1, y1, x2, y2.
IMAGES = {
    "a.png": ((100, 80), [("cat", 10, 20, 50, 60), ("dog", 0, 0, 30, 40)]),
    "b.png": ((60, 40), [("dog", 5, 5, 25, 35)]),
    "c.png": ((50, 50), []),
}


def draw(folder: Path, names=tuple(IMAGES)):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        Image.new("RGB", IMAGES[name][0]).save(folder / name)


def write(path: Path, text) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text if isinstance(text, str) else json.dumps(text), encoding="utf-8")


def coco(prefix="", extra=()):
    """A COCO file; `extra` categories come first."""
    categories = [*extra, *({"id": i, "name": name} for i, name in enumerate(NAMES, start=1))]
    images, annotations = [], []
    for i, (name, (size, boxes)) in enumerate(IMAGES.items()):
        images.append({"id": i, "file_name": prefix + name, "width": size[0], "height": size[1]})
        for label, x1, y1, x2, y2 in boxes:
            entry = {"image_id": i, "category_id": NAMES.index(label) + 1, "iscrowd": 0}
            annotations.append({"id": len(annotations), "bbox": [x1, y1, x2 - x1, y2 - y1], **entry})
    return {"images": images, "annotations": annotations, "categories": categories}


def yolo_row(name, size, box):
    label, x1, y1, x2, y2 = box
    width, height = size
    numbers = ((x1 + x2) / 2 / width, (y1 + y2) / 2 / height, (x2 - x1) / width, (y2 - y1) / height)
    return " ".join([str(NAMES.index(label)), *(f"{value:.6f}" for value in numbers)])


def write_yolo_labels(folder):
    for name, (size, boxes) in IMAGES.items():
        if boxes:
            write((folder / name).with_suffix(".txt"), "\n".join(yolo_row(name, size, box) for box in boxes))


def voc_xml(name):
    size, boxes = IMAGES[name]
    objects = "".join(
        f"<object><name>{label}</name><bndbox><xmin>{x1 + 1}</xmin><ymin>{y1 + 1}</ymin><xmax>{x2}</xmax>"
        f"<ymax>{y2}</ymax></bndbox></object>"
        for label, x1, y1, x2, y2 in boxes
    )
    frame = f"<size><width>{size[0]}</width><height>{size[1]}</height></size>"
    return f"<annotation><filename>{name}</filename>{frame}{objects}</annotation>"


def roboflow_coco(root):
    draw(root / "train")
    # Roboflow lists its project as a class of which there is no box.
    pets = {"id": 0, "name": "pets", "supercategory": "none"}
    content = coco(extra=[pets])
    for category in content["categories"][1:]:
        category["supercategory"] = "pets"
    write(root / "train/_annotations.coco.json", content)


def coco_in_one_file(root):
    draw(root / "images/default")
    write(root / "annotations/instances_default.json", coco())  # CVAT


def label_studio_coco(root):
    draw(root / "images")
    write(root / "result.json", coco("images/"))


def windows_coco(root):
    draw(root / "images")
    write(root / "labels.json", coco("C:\\data\\pets\\"))


def yolo(root):
    draw(root / "images/train")
    write_yolo_labels(root / "labels/train")
    write(root / "data.yaml", "path: ../datasets/pets\ntrain: images/train\nnames:\n  0: cat\n  1: dog\n")


def roboflow_yolo(root):
    draw(root / "train/images")
    write_yolo_labels(root / "train/labels")
    write(root / "data.yaml", "train: ../train/images\nval: ../valid/images\nnc: 2\nnames: ['cat', 'dog']\n")


def yolo_lists(root):
    draw(root / "images")
    write_yolo_labels(root / "labels")
    write(root / "train.txt", "\n".join(f"./images/{name}" for name in IMAGES))
    write(root / "data.yaml", "train: train.txt\nnames: [cat, dog]\n")


def yolo_polygons(root):
    yolo(root)
    x1, y1, x2, y2 = (v / s for v, s in zip(IMAGES["b.png"][1][0][1:], (60, 40, 60, 40), strict=True))
    write(root / "labels/train/b.txt", f"1 {x1} {y1} {x2} {y1} {x2} {y2} {x1} {y2}")


def label_studio_yolo(root):
    draw(root / "images")
    write_yolo_labels(root / "labels")
    write(root / "classes.txt", "cat\ndog\n")
    write(root / "notes.json", {"categories": [{"id": 0, "name": "cat"}], "info": {"year": 2026}})


def voc(root):
    draw(root / "JPEGImages")
    for name in IMAGES:
        write(root / "Annotations" / Path(name).with_suffix(".xml"), voc_xml(name))
    write(root / "ImageSets/Main/train.txt", "\ufeff" + "\n".join(Path(name).stem for name in IMAGES))


def voc_without_sets(root):
    voc(root)
    (root / "ImageSets/Main/train.txt").unlink()


def cvat_voc(root):
    voc(root)
    (root / "ImageSets/Main/train.txt").rename(root / "ImageSets/Main/default.txt")


def roboflow_voc(root):
    draw(root / "train")
    for name in IMAGES:
        write(root / "train" / Path(name).with_suffix(".xml"), voc_xml(name))


def createml(root):
    draw(root / "train")
    content = [
        {
            "image": name,
            "annotations": [
                {
                    "label": label,
                    "coordinates": {
                        "x": (x1 + x2) / 2,
                        "y": (y1 + y2) / 2,
                        "width": x2 - x1,
                        "height": y2 - y1,
                    },
                }
                for label, x1, y1, x2, y2 in boxes
            ],
        }
        for name, (_, boxes) in IMAGES.items()
    ]
    write(root / "train/_annotations.createml.json", content)


def labelme(root):
    draw(root)
    for name, (size, boxes) in IMAGES.items():
        shapes = [
            {"label": label, "points": [[x2, y2], [x1, y1]], "shape_type": "rectangle"}
            for label, x1, y1, x2, y2 in boxes
        ]
        shapes.append({"label": "nose", "points": [[3, 3]], "shape_type": "point"})
        frame = {"imagePath": f"..\\photos\\{name}", "imageWidth": size[0], "imageHeight": size[1]}
        content = {"version": "5.4.1", "flags": {}, "shapes": shapes, "imageData": None, **frame}
        write(root / Path(name).with_suffix(".json"), content)


def label_studio(root):
    draw(root)
    tasks = []
    for name, ((width, height), boxes) in IMAGES.items():
        results = [
            {
                "original_width": width,
                "original_height": height,
                "type": "rectanglelabels",
                "value": {
                    "x": 100 * x1 / width,
                    "y": 100 * y1 / height,
                    "width": 100 * (x2 - x1) / width,
                    "height": 100 * (y2 - y1) / height,
                    "rotation": 0,
                    "rectanglelabels": [label],
                },
            }
            for label, x1, y1, x2, y2 in boxes
        ]
        cancelled = {"was_cancelled": True, "result": []}
        annotations = [{"was_cancelled": False, "result": results}, cancelled]
        tasks.append(
            {"id": 1, "annotations": annotations, "data": {"image": f"/data/upload/1/0a1b2c3d-{name}"}}
        )
    write(root / "project-1-at-2026.json", tasks)


def csv_rows():
    for name, (_, boxes) in IMAGES.items():
        for label, *corners in boxes:
            yield name, label, corners
        if not boxes:
            yield name, "", ("", "", "", "")


def retinanet_csv(root):
    draw(root / "images")
    rows = [",".join(map(str, (name, *corners, label))) for name, label, corners in csv_rows()]
    write(root / "annotations.csv", "\n".join(rows))


def csv_with_header(root):
    draw(root / "train")
    rows = [f"{name},{label},{','.join(map(str, corners))}" for name, label, corners in csv_rows()]
    write(root / "train/_annotations.csv", "\n".join(["filename,class,xmin,ymin,xmax,ymax", *rows]))


def automl_csv(root):
    draw(root)
    lines = []
    for name, label, corners in csv_rows():
        sides = [v / s if v != "" else "" for v, s in zip(corners, IMAGES[name][0] * 2, strict=True)]
        x1, y1, x2, y2 = sides
        lines.append(f"TRAIN,gs://bucket/pets/{name},{label},{x1},{y1},,,{x2},{y2},,")
    write(root / "pets.csv", "\n".join(lines))


def tfrecord(root):
    import tensorflow as tf

    def feature(values):
        if values and isinstance(values[0], bytes):
            return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))
        if values and isinstance(values[0], int):
            return tf.train.Feature(int64_list=tf.train.Int64List(value=values))
        return tf.train.Feature(float_list=tf.train.FloatList(value=values))

    (root / "train").mkdir(parents=True)
    for number, (name, ((width, height), boxes)) in enumerate(IMAGES.items()):
        stream = io.BytesIO()
        Image.new("RGB", (width, height)).save(stream, "PNG")
        features = {
            "image/encoded": [stream.getvalue()],
            "image/format": [b"png"],
            "image/filename": [name.encode()],
            "image/object/class/label": [NAMES.index(box[0]) + 1 for box in boxes],
        }
        for i, side in enumerate(("xmin", "ymin", "xmax", "ymax"), start=1):
            extent = (width, height)[(i - 1) % 2]
            features[f"image/object/bbox/{side}"] = [box[i] / extent for box in boxes]
        example = tf.train.Example(
            features=tf.train.Features(feature={key: feature(value) for key, value in features.items()})
        )
        shard = root / f"train/pets.tfrecord-{number:05d}-of-{len(IMAGES):05d}"
        with tf.io.TFRecordWriter(str(shard)) as writer:
            writer.write(example.SerializeToString())
    items = "".join(f"item {{\n  id: {i}\n  name: '{name}'\n}}\n" for i, name in enumerate(NAMES, start=1))
    write(root / "train/pets_label_map.pbtxt", items)


EXPORTS = {
    "coco": (roboflow_coco, coco_in_one_file, label_studio_coco, windows_coco),
    "yolo": (yolo, roboflow_yolo, yolo_lists, yolo_polygons, label_studio_yolo),
    "voc": (voc, voc_without_sets, cvat_voc, roboflow_voc),
    "createml": (createml,),
    "labelme": (labelme,),
    "label-studio": (label_studio,),
    "csv": (retinanet_csv, csv_with_header, automl_csv),
    "tfrecord": (tfrecord,),
}
CASES = [(format_, export) for format_, exports in EXPORTS.items() for export in exports]


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("KERAS_CORNERNET_CACHE", str(tmp_path_factory.mktemp("cache")))


def check(dataset):
    """Whether a data set is the one of `IMAGES`."""
    assert dataset.problems == ()
    assert dataset.names == NAMES
    assert len(dataset) == len(IMAGES)
    if not dataset.samples[0].path.endswith("000000.png"):  # images out of records have new names
        assert [Path(path).name for path in dataset.paths] == list(IMAGES)
    for sample, (size, boxes) in zip(dataset.samples, IMAGES.values(), strict=True):
        assert sample.size in (size[::-1], None)
        found = sorted(
            (dataset.names[label], *(round(float(v), 3) for v in box))
            for label, box in zip(sample.boxes.labels, sample.boxes.xyxy, strict=True)
        )
        assert found == sorted(boxes)


@pytest.mark.parametrize(("format_", "export"), CASES, ids=[export.__name__ for _, export in CASES])
def test_an_export_is_found_and_read(tmp_path, format_, export):
    export(tmp_path / "pets")
    found = find_part(tmp_path / "pets", "detection", "train")
    assert found.format == format_
    check(read_dataset(tmp_path / "pets"))
    assert read_dataset(tmp_path / "pets", part="val") is None


@pytest.mark.parametrize(("format_", "export"), CASES, ids=[export.__name__ for _, export in CASES])
def test_a_zip_file_of_it_reads_as_well(tmp_path, format_, export):
    export(tmp_path / "pets")
    with zipfile.ZipFile(tmp_path / "pets.zip", "w") as archive:
        for path in sorted((tmp_path / "pets").rglob("*")):
            archive.write(path, path.relative_to(tmp_path))
    check(read_dataset(tmp_path / "pets.zip"))
    check(read_dataset(tmp_path / "pets.zip"))  # from the cache


@pytest.mark.parametrize("name", ["annotations.csv", "project-1-at-2026.json", "data.yaml"])
def test_a_file_of_labels_alone_is_enough(tmp_path, name):
    export = {"annotations.csv": retinanet_csv, "project-1-at-2026.json": label_studio, "data.yaml": yolo}[
        name
    ]
    export(tmp_path / "pets")
    check(read_dataset(tmp_path / "pets" / name))
    assert read_dataset(tmp_path / "pets" / name, part="val") is None


def test_parts_are_kept_apart(tmp_path):
    yolo(tmp_path / "a")
    draw(tmp_path / "a/images/val", ["b.png"])
    write(tmp_path / "a/data.yaml", "train: images/train\nval: images/val\nnames: [cat, dog]\n")
    assert (len(read_dataset(tmp_path / "a")), len(read_dataset(tmp_path / "a", part="val"))) == (3, 1)
    automl_csv(tmp_path / "b")
    text = (
        (tmp_path / "b/pets.csv")
        .read_text()
        .replace("TRAIN,gs://bucket/pets/b", "VALIDATION,gs://bucket/pets/b")
    )
    write(tmp_path / "b/pets.csv", text)
    assert (len(read_dataset(tmp_path / "b")), len(read_dataset(tmp_path / "b", part="val"))) == (2, 1)


def test_people_of_yolo_have_joints(tmp_path):
    root = tmp_path / "faces"
    draw(root / "images/train", ["a.png"])
    row = "0 0.5 0.5 0.4 0.5 0.4 0.4 2 0.6 0.4 1 0 0 0"
    write(root / "labels/train/a.txt", row + "\n0 0.5 0.5 0.4 0.5 0 0 0 0 0 0 0 0 0\n0 0.5 0.5 0.4\n")
    yaml = "train: images/train\nnames: {0: person}\nkpt_shape: [3, 3]\nflip_idx: [1, 0, 2]\n"
    write(root / "data.yaml", yaml + "kpt_names:\n  0: [left_eye, right_eye, nose]\n")
    people = read_dataset(root, "pose")
    (person,) = people.people
    assert people.skeleton.joints == ("left_eye", "right_eye", "nose")
    assert people.skeleton.flip_pairs == ((0, 1),)
    np.testing.assert_allclose(person.keypoints, [[40, 32], [60, 32], [0, 0]], atol=1e-4)
    assert person.visibility.tolist() == [2, 1, 0] and person.side == pytest.approx(1.25 * 40)
    assert [problem.where for problem in people.problems] == ["line 3"]
    boxes = read_dataset(root).samples[0].boxes
    np.testing.assert_allclose(boxes.xyxy, [[30, 20, 70, 60]] * 2, atol=1e-4)
    write(root / "data.yaml", (root / "data.yaml").read_text().replace("flip_idx: [1, 0, 2]\n", ""))
    assert read_dataset(root, "pose").skeleton.flip_pairs == ((0, 1),)  # by the names


BAD = [
    ("0 0.5 0.5 0.2", "expected a class and at least four numbers"),
    ("x 0.5 0.5 0.2 0.2", "expected a class and at least four numbers"),
    ("7 0.5 0.5 0.2 0.2", "the class 7 is not one of 0 to 1"),
    ("0 50 40 20 20", "is not in fractions of the image size"),
    ("0 0.5 0.5 0 0.2", "zero width"),
    ("0 0.5 0.5 nan 0.2", "expected a class and at least four numbers"),
]


@pytest.mark.parametrize(("row", "words"), BAD)
def test_lines_of_yolo_that_cannot_be_used_are_named(tmp_path, row, words):
    yolo(tmp_path / "pets")
    write(tmp_path / "pets/labels/train/b.txt", f"1 0.5 0.5 0.2 0.2\n{row}\n")
    dataset = read_dataset(tmp_path / "pets")
    (problem,) = dataset.problems
    assert problem.where == "line 2" and problem.path.endswith("b.txt") and words in problem.reason
    assert len(dataset.samples[1].boxes) == 1


def test_missing_images_and_damaged_files_are_named(tmp_path):
    for export in (createml, label_studio, retinanet_csv, labelme):
        root = tmp_path / export.__name__
        export(root)
        next(root.rglob("b.png")).unlink()
        dataset = read_dataset(root)
        assert len(dataset) == 2 and len(dataset.problems) == 1, export
        assert "b.png" in str(dataset.problems[0]) and dataset.problems[0].costs_image
    tfrecord(tmp_path / "records")
    shard = tmp_path / "records/train/pets.tfrecord-00001-of-00003"
    shard.write_bytes(shard.read_bytes()[:-20])
    with pytest.raises(ValueError, match="00001-of-00003: not a TFRecord file, or damaged"):
        read_dataset(tmp_path / "records")
    shard.unlink()
    with pytest.raises(ValueError, match="of 3 shards 1 are missing, the first: pets.tfrecord-00001"):
        read_dataset(tmp_path / "records")


def test_text_of_windows_is_read(tmp_path):
    files = ((retinanet_csv, "annotations.csv"), (yolo, "data.yaml"), (label_studio_coco, "result.json"))
    for export, name in files:
        root = tmp_path / export.__name__
        export(root)
        text = (root / name).read_text()
        for encoding in ("utf-16", "utf-8-sig"):
            (root / name).write_text(text.replace("\n", "\r\n"), encoding=encoding)
            check(read_dataset(root))


def test_labels_follow_the_rotation_of_the_camera(tmp_path):
    """Sizes and fractions are those of the image as it is shown."""
    yolo(tmp_path / "pets")
    photo = Image.new("RGB", (40, 60))  # b.png is 60 wide and 40 high when it is shown
    exif = photo.getexif()
    exif[274] = 6
    photo.save(tmp_path / "pets/images/train/b.png", exif=exif)
    sample = read_dataset(tmp_path / "pets").samples[1]
    assert sample.size == (40, 60)
    np.testing.assert_allclose(sample.boxes.xyxy, [[5, 5, 25, 35]], atol=1e-3)


def test_the_task_is_that_which_finds_parts(tmp_path):
    """Files of boxes that have joints too are for detection by their names."""
    keypoints = {"keypoints": ["left_eye", "right_eye"]}
    for part in ("train", "val"):
        content = coco()
        content["categories"][0] |= keypoints
        write(tmp_path / f"instances_{part}.json", content)
        draw(tmp_path / part)
    assert formats_of_folder(tmp_path) == {"detection": "coco"}
    (tmp_path / "instances_val.json").unlink()
    (tmp_path / "instances_train.json").rename(tmp_path / "labels.json")
    assert formats_of_folder(tmp_path) == {"detection": "coco", "pose": "coco"}


@pytest.mark.parametrize(
    "text", ["names: " + "[" * 5000, "names: 2020-99-99", "names: " + "9" * 5000 + "\n", "a: b: c"]
)
def test_yaml_that_is_none_is_named(tmp_path, text):
    (tmp_path / "data.yaml").write_text(text)
    with pytest.raises(ValueError, match=r"data\.yaml"):
        read_dataset(tmp_path / "data.yaml")
