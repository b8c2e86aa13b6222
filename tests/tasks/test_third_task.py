"""A third task, in this one file: it trains, is evaluated and predicts through the ordinary commands.

Images show one bright dot, which a network finds. Nothing of the package knows of dots.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import numpy as np
import pytest
from command_line import data, run
from keras import ops
from PIL import Image

from keras_cornernet import files, tasks, visualization
from keras_cornernet.data.draws import Draw
from keras_cornernet.data.loader import Loader
from keras_cornernet.data.pipeline import LOADERS
from keras_cornernet.data.readers import READERS
from keras_cornernet.evaluation import EvaluationResult
from keras_cornernet.export.exported import EXPORTED
from keras_cornernet.inference.model import Model
from keras_cornernet.inference.reading import list_images, read_or_report
from keras_cornernet.models.network import Network
from keras_cornernet.preprocessing import fit_view
from keras_cornernet.presets import FAMILIES, PRESETS, Family, Preset
from keras_cornernet.structures import Categories, Problem

SIZE = (32, 32)


@dataclass(frozen=True)
class DotDataset:
    """Images with the position of their dot, `(x, y)` in pixels."""

    paths: tuple
    dots: tuple
    problems: tuple = ()
    noun = "images"
    annotation_noun = "dot"
    names = ("dot",)
    categories = Categories(("dot",), (1,))

    def __len__(self):
        return len(self.paths)

    @property
    def sizes(self):
        return (None,) * len(self)

    @property
    def annotation_count(self):
        return len(self)

    def select(self, indices):
        return DotDataset(*zip(*((self.paths[i], self.dots[i]) for i in indices), strict=True))


def read_dots(annotations, images):
    rows = json.loads(Path(annotations).read_text())
    there = [row for row in rows if (Path(images) / row["file"]).is_file()]
    lost = [Problem(str(annotations), row["file"], "no such file", True) for row in rows if row not in there]
    paths, dots = zip(*((str(Path(images) / row["file"]), tuple(row["dot"])) for row in there), strict=True)
    return DotDataset(paths, dots, tuple(lost))


class DotLoader(Loader):
    """Training examples."""

    clips_colors = False

    def __init__(self, dataset, input_size, *, augmentation=None, seed=0, cache_bytes=0, on_problem=None):
        self.dataset = dataset
        super().__init__(dataset, input_size, augmentation, seed, cache_bytes, on_problem)

    @property
    def annotations(self):
        return {"dot": ((1, 2), np.float32)}

    def draw(self, epoch, index, *, progress=0.0, input_size=None):
        index, size = self.images.usable_size(index)
        return Draw((index,), (fit_view(size, input_size or self.input_size),))

    def annotate(self, draw):
        return (np.array([self.dataset.dots[draw.indices[0]]], np.float32),)


@dataclass(frozen=True)
class DotCodec:
    """A Gaussian at the dot, and its maximum."""

    sigma: float = 1.5

    def encode(self, annotations, input_size, grid_size):
        y, x = (ops.arange(n, dtype="float32") + 0.5 for n in grid_size)
        dot = annotations["dot"][:, 0, None, None]
        away = ops.square(x[None, None] - dot[..., 0]) + ops.square(y[None, :, None] - dot[..., 1])
        return {"dots": {"heatmap": ops.exp(-away / (2 * self.sigma**2))[..., None]}}

    def decode(self, outputs, input_size):
        maps = np.asarray(outputs[-1]["dots"]["heatmap"])[..., 0]
        index = maps.reshape(len(maps), -1).argmax(1)
        return np.stack([index % maps.shape[2], index // maps.shape[2]], 1) + 0.5, maps.max((1, 2))


class DotLoss:
    names = ("heatmap",)

    def __call__(self, targets, outputs):
        heatmap = outputs[-1]["dots"]["heatmap"]
        return {"heatmap": 100.0 * ops.mean(ops.square(heatmap - targets["dots"]["heatmap"]))}


@dataclass(frozen=True)
class DotConfig:
    num_classes: int = 1
    width: int = 4
    stride = 1

    def arguments(self):
        return asdict(self)

    def check_input_size(self, input_size):
        assert tuple(input_size) == SIZE


@keras.saving.register_keras_serializable(package="test")
class DotNetwork(Network):
    config_type = DotConfig

    def __init__(self, num_classes=1, *, metadata=None, name="dots", **settings):
        config = DotConfig(num_classes, **settings)
        images = keras.Input((*SIZE, 3), name="images")
        x = keras.layers.Conv2D(config.width, 3, padding="same", activation="relu")(images / 255.0)
        outputs = [{"dots": {"heatmap": keras.layers.Conv2D(config.num_classes, 3, padding="same")(x)}}]
        super().__init__(images, outputs, config=config, metadata=metadata, name=name)


@dataclass(frozen=True)
class DotSettings:
    input_size: tuple = SIZE


@dataclass(frozen=True)
class Dot:
    xy: np.ndarray
    score: float
    image: np.ndarray
    path: str

    def __len__(self):
        return 1

    def save(self, path):
        return files.write_image(path, Image.fromarray(self.image))

    def to_coco(self, image_id):
        return [{"image_id": image_id, "dot": self.xy.tolist(), "score": float(self.score)}]


class DotFinder(Model):
    task, labels_field, settings_type = "dots", "categories", DotSettings

    def __init__(self, network, codec, categories, settings):
        self.network, self.codec, self.categories, self.settings = network, codec, categories, settings

    def stream(self, source, *, flip=False, on_error=None):
        for item in list_images(source):
            read = read_or_report(item, on_error)
            if read is not None:
                shown = fit_view(read.size, SIZE).apply(read.image)[None].astype(np.float32)
                points, scores = self.codec.decode(self.network(shown, training=False), SIZE)
                yield Dot(points[0], scores[0], read.image, read.path)

    def evaluate(self, dataset, *, flip=None, progress=list):
        found = [next(self.stream(path)).xy for path in progress(dataset.paths)]
        right = float((np.abs(np.array(found) - dataset.dots).max(1) < 2).mean())
        numbers = {"accuracy": right}
        return EvaluationResult(numbers, numbers, f"accuracy {right:.3f}", problems=dataset.problems)


class DotTask:
    name, noun, dataset, loader, exported = "dots", "dots", DotDataset, DotLoader, None
    families = {DotNetwork: Family(DotCodec, DotFinder, DotLoss(), None)}  # noqa: RUF012
    readers = {"dots": read_dots}  # noqa: RUF012
    default_preset = "dots"

    def summarize(self, dataset):
        return {"images": len(dataset)}

    def draw_targets(self, dataset, index, preset):
        image, dot = DotLoader(dataset, SIZE).load(0, index)
        targets = DotCodec().encode({"dot": dot[None]}, SIZE, SIZE)
        heatmap = np.asarray(targets["dots"]["heatmap"])[0, ..., 0]
        return visualization.draw_heatmap(image.astype(np.uint8), heatmap)

    def draw_predictions(self, model, result, count):
        return []

    def operating_point(self, model, dataset, result, min_precision=None):
        return None

    def prediction(self, model, *, detector, min_score):
        return tasks.Prediction(model)


@pytest.fixture(autouse=True)
def known():
    """The task is known for the length of a test."""
    tables = (tasks.TASKS, FAMILIES, PRESETS, LOADERS, READERS, EXPORTED)
    before = [dict(table) for table in tables]
    tasks.register(DotTask())
    PRESETS["dots"] = Preset("finds dots", DotNetwork, {"width": 4}, SIZE, DotSettings(), None, DotLoss())
    yield
    for table, entries in zip(tables, before, strict=True):
        table.clear()
        table.update(entries)


@pytest.fixture
def folder(tmp_path):
    """Twelve images with a dot, and one that is only listed."""
    rng, rows = np.random.default_rng(0), [{"file": "gone.png", "dot": [1, 1]}]
    (tmp_path / "images").mkdir()
    for i in range(12):
        x, y = rng.integers(4, 28, 2).tolist()
        image = rng.integers(0, 60, (*SIZE, 3), dtype=np.uint8)
        image[y - 1 : y + 2, x - 1 : x + 2] = 255
        Image.fromarray(image).save(tmp_path / "images" / f"{i}.png")
        rows.append({"file": f"{i}.png", "dot": [x + 0.5, y + 0.5]})
    (tmp_path / "annotations.json").write_text(json.dumps(rows))
    return tmp_path


@pytest.mark.slow
def test_the_commands_serve_a_task_that_they_do_not_know(folder):
    files_of_it = (*data(folder), "--format", "dots")
    output = folder / "run"
    options = ("--epochs", 40, "--batch-size", 4, "--learning-rate", 0.02, "--evaluate-every", 20)
    answer = run(
        "train",
        "dots",
        *files_of_it,
        "--val-annotations",
        folder / "annotations.json",
        *options,
        "--output",
        output,
    )
    assert answer.exit_code == 1, answer.output  # since one image is missing:
    assert "gone.png: no such file" in answer.stderr
    assert "best accuracy 1.000" in answer.stdout

    answer = run("evaluate", output / "best.keras", *files_of_it)
    assert answer.stdout.strip() == "accuracy 1.000" and answer.exit_code == 1

    answer = run("predict", output / "best.keras", folder / "images", "--output", folder / "found", "--json")
    assert answer.exit_code == 0, answer.output
    found = json.loads((folder / "found" / "predictions.json").read_text())
    true = {row["file"]: row["dot"] for row in json.loads((folder / "annotations.json").read_text())}
    images = json.loads((folder / "found" / "images.json").read_text())
    names = {image["id"]: image["file_name"] for image in images}
    assert all(np.abs(np.subtract(f["dot"], true[names[f["image_id"]]])).max() < 2 for f in found)

    answer = run("check-data", *files_of_it, "--output", folder / "check", "--pictures", 2)
    assert "12" in answer.stdout and len(list((folder / "check").glob("*.png"))) == 2


def test_it_is_told_from_the_others(folder):
    assert tasks.task_of("dots").name == tasks.task_of(PRESETS["dots"]).name == "dots"
    assert tasks.task_of(read_dots(folder / "annotations.json", folder / "images")).name == "dots"
    assert tasks.task_of("cornernet_small").name == "detection"
    assert tasks.task_of("hourglass_phone").name == "pose"
    with pytest.raises(ValueError, match="int is no preset, model, file or data set"):
        tasks.task_of(3)
