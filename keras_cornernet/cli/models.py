"""`keras-cornernet models`: the presets and what is known of them."""

import io
import json
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from keras_cornernet.cli.console import show
from keras_cornernet.cli.options import AsJson


class NetworkSize(NamedTuple):
    """Trainable parameters, and 1e9 multiply-adds for one image of the preset's input size."""

    parameters: int
    gmac: float


# Of networks without trained weights: detectors for COCO's 80 classes, pose networks for the preset's joints.
# Stated here because building all of them takes a minute; a test holds them to the networks.
SIZES = {
    "cornernet_hourglass104": NetworkSize(201_035_212, 343.2),
    "cornernet_hourglass52": NetworkSize(100_330_278, 223.6),
    "cornernet_saccade": NetworkSize(116_969_339, 96.06),
    "cornernet_squeeze": NetworkSize(31_771_852, 51.23),
    "centernet_hourglass52": NetworkSize(104_844_152, 297.4),
    "centernet_hourglass104": NetworkSize(210_062_960, 417.1),
    "objects_as_points_hourglass104": NetworkSize(191_284_008, 263.4),
    "cornernet_small": NetworkSize(2_796_086, 1.478),
    "cornernet_squeeze_small": NetworkSize(924_806, 1.033),
    "centernet_small": NetworkSize(3_017_352, 1.971),
    "centripetalnet_small": NetworkSize(2_796_216, 1.478),
    "objects_as_points_small": NetworkSize(2_741_124, 1.357),
    "objects_as_points_photos": NetworkSize(2_741_124, 0.9694),
    "cornernet_bccd": NetworkSize(2_796_216, 2.027),
    "cornernet_squeeze_bccd": NetworkSize(924_936, 0.5903),
    "objects_as_points_bccd": NetworkSize(2_741_124, 1.629),
    "cornernet_people": NetworkSize(2_796_216, 0.8445),
    "hourglass_1stack": NetworkSize(3_426_448, 5.15),
    "hourglass_2stack": NetworkSize(6_570_400, 8.335),
    "hourglass_4stack": NetworkSize(12_858_304, 14.7),
    "hourglass_8stack": NetworkSize(25_434_112, 27.44),
    "hourglass_legacy2": NetworkSize(26_353_824, 26.2),
    "hourglass_phone": NetworkSize(1_680_412, 0.2453),
    "hourglass_lspet": NetworkSize(1_680_412, 0.2453),
    "hourglass_lspet_large": NetworkSize(2_504_810, 0.3399),
    "hourglass_animals": NetworkSize(2_506_748, 0.3419),
    "hourglass_people": NetworkSize(1_680_412, 0.2453),
}


@dataclass(frozen=True)
class PresetInfo:
    """One preset; the fields are fit for json.

    Attributes:
        name: of the preset.
        task: `"detection"` or `"pose"`.
        input_size: `[height, width]` in training.
        parameters: trainable ones, of the trained weights if there are any; else of a network for 80 classes.
        gmac: 1e9 multiply-adds for one image of that size, heads of the last stack only.
        weights: whether `keras_cornernet_weights` holds trained weights.
        published_ap: what the paper reports, in percent; not measured here.
        source: on which images, and where it is published.
        checkpoint: the authors' file that `convert` turns into this network.
        summary: one line.
    """

    name: str
    task: str
    input_size: list[int]
    parameters: int | None
    gmac: float | None
    weights: bool
    published_ap: float | None
    source: str | None
    checkpoint: str | None
    summary: str


def list_presets() -> list[PresetInfo]:
    """The presets and what is known of them; no network is built."""
    from keras_cornernet.presets import PRESETS

    return [_info(name, preset) for name, preset in PRESETS.items()]


def _info(name: str, preset: Any) -> PresetInfo:
    from keras_cornernet.presets import find_weights
    from keras_cornernet.tasks import task_of

    path = find_weights(preset.weights) if preset.weights else None
    size = SIZES.get(name)
    published = preset.published
    return PresetInfo(
        name,
        task_of(preset).name,
        list(preset.input_size),
        count_parameters(path) if path else size and size.parameters,
        size and size.gmac,
        preset.weights is not None,
        published and published.ap,
        published and published.source,
        published and published.checkpoint,
        preset.summary,
    )


def count_parameters(path: str | Path) -> int:
    """The number of trainable parameters in a `.keras` file, without building the network."""
    import h5py

    with zipfile.ZipFile(path) as archive:
        weights = io.BytesIO(archive.read("model.weights.h5"))
    total = 0

    def add(_: str, group: Any) -> None:
        nonlocal total
        if isinstance(group, h5py.Group):
            arrays = [group[key] for key in sorted(group) if isinstance(group[key], h5py.Dataset)]
            # The only layers with four arrays are batch normalizations: two of them are statistics.
            total += sum(array.size for array in (arrays[:2] if len(arrays) == 4 else arrays))

    with h5py.File(weights) as file:
        file.visititems(add)
    return total


@dataclass(frozen=True)
class ModelInfo:
    """What a model says of itself; the fields are fit for json.

    Attributes:
        model: the name or path.
        description: one line.
        names: of its classes or joints.
        min_scores: for each class the score from which on boxes are shown; None for 0.3 each.
        provenance: see `structures.Provenance.to_json`.
    """

    model: str
    description: str
    names: list[str]
    min_scores: list[float] | None
    provenance: dict[str, Any]

    def __str__(self) -> str:
        lines = [self.description, f"finds {', '.join(self.names)}"]
        if self.min_scores is not None:
            pairs = zip(self.names, self.min_scores, strict=True)
            lines.append("shows " + ", ".join(f"{name} from {score:.2f}" for name, score in pairs))
        for source in self.provenance["data"]:
            items = "" if source["items"] is None else f", {source['items']:,} images or people"
            lines.append(f"trained on {source['name']}{items}; terms: {source['terms']}")
            lines += [f"    annotations: sha256 {source['sha256']}"] if source["sha256"] else []
        for parent in self.provenance["parents"]:
            lines.append(
                f"started from {parent['name']}"
                + (f", sha256 {parent['sha256']}" if parent["sha256"] else "")
            )
        if not self.provenance["data"]:
            lines.append("the data that it was trained on is not stated")
        return "\n".join(lines)


def describe_model(name_or_path: str) -> ModelInfo:
    """What a model says of itself, where its weights come from above all.

    Raises:
        ValueError: as `tasks.load_model`.
    """
    from keras_cornernet.tasks import load_model

    model = load_model(name_or_path)
    labels = model.categories if hasattr(model, "categories") else model.skeleton
    description = getattr(model, "description", None)
    scores = getattr(model.settings, "min_scores", None) if description is None else description.scores
    return ModelInfo(
        name_or_path,
        repr(model)
        if description is None
        else f"{name_or_path}: {description.task}, {description.precision}",
        list(labels.names),
        list(scores) if scores else None,
        model.provenance.to_json(),
    )


def models(
    model: Annotated[
        str | None,
        typer.Argument(metavar="[MODEL]", help="A preset, a .keras or an exported file to describe."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the presets: networks to train and models with trained weights. With MODEL: what is in it."""
    if model is not None:
        show(describe_model(model), as_json)
        return
    rows = list_presets()
    if as_json:
        typer.echo(json.dumps([asdict(row) for row in rows], indent=1))
        return
    line = "{:<27} {:>9} {:>10} {:>7} {:>6}  {}".format
    typer.secho(line("name", "input", "parameters", "GMAC", "AP", "weights"), bold=True)
    for row in rows:
        height, width = row.input_size
        count = "" if row.parameters is None else f"{row.parameters / 1e6:.1f} M"
        cost = "" if row.gmac is None else f"{row.gmac:.3g}"
        weights = "trained" if row.weights else "convert" if row.checkpoint else "train"
        typer.echo(line(row.name, f"{height}x{width}", count, cost, row.published_ap or "", weights))
        typer.secho(f"    {row.summary}", dim=True)
        if row.source:
            typer.secho(f"    AP as published: {row.source}", dim=True)
        if row.checkpoint:
            typer.secho(f"    convert: {row.checkpoint}", dim=True)
