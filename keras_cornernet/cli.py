"""The command `keras-cornernet`: parse, call one function, print.

Keras and TensorFlow are imported inside the commands only, so that `--help` answers at once.
"""

import json
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from keras_cornernet.console import cli_errors, leave_if_failed, name_failed, parse_size, progress_bar

app = typer.Typer(
    help="CornerNet detection and human pose: find objects, pose people, train on your own, measure.",
    epilog="Exit codes: 0 all done, 1 some inputs failed (each is named), 2 wrong use.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Runs the command line."""
    # As Ctrl-C does, a request to end lets temporary files be removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    app(prog_name="keras-cornernet")


def _print_version(wanted: bool) -> None:
    if wanted:
        import keras_cornernet

        typer.echo(keras_cornernet.__version__)
        raise typer.Exit


Model = Annotated[
    str, typer.Argument(metavar="MODEL", help="A model that ships (see 'models') or a .keras file.")
]
Runnable = Annotated[
    str, typer.Argument(metavar="MODEL", help="As for other commands, or what 'export' wrote.")
]
Annotations = Annotated[Path, typer.Option(help="COCO json file, or of the format named.")]
Images = Annotated[Path, typer.Option(help="Folder that the annotations' file names count from.")]
Format = Annotated[
    str,
    typer.Option("--format", metavar="coco|lsp|mpii|flic", help="Of the annotations; all but coco: poses."),
]
Split = Annotated[
    str | None,
    typer.Option(
        metavar="train|val|test|all",
        help="Part of a file of mpii or lsp that holds several; by default what the command is for.",
    ),
]
Adjusted = Annotated[
    bool | None,
    typer.Option(
        "--adjusted/--raw",
        help="Whether centres and scales of mpii were enlarged before; by default told by the form.",
    ),
]
Flip = Annotated[
    bool | None,
    typer.Option("--flip/--no-flip", help="Look at the mirror image too; by default as the model says."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print json on standard output and nothing else there.")]


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command()
@cli_errors()
def demo(
    output: Annotated[Path, typer.Option(help="Folder for scenes, pictures and json.")] = Path("demo_output"),
    count: Annotated[int, typer.Option(min=1, help="Number of scenes.")] = 24,
    seed: Annotated[int | None, typer.Option(min=0, help="Another number draws other scenes.")] = None,
    pose: Annotated[
        str, typer.Option(metavar="MODEL", help="A pose network trained on drawn scenes.")
    ] = "hourglass_people",
    no_pose: Annotated[bool, typer.Option("--no-pose", help="Find the people only.")] = False,
) -> None:
    """Draw scenes, find the people in them and pose each; measure AP and PCK against the drawn truth."""
    from keras_cornernet.commands.demo import SEED
    from keras_cornernet.commands.demo import demo as run
    from keras_cornernet.evaluation import format_table

    seed = SEED if seed is None else seed
    bar = progress_bar("finding people")
    result = run(output, count=count, seed=seed, pose_model=None if no_pose else pose, progress=bar)
    metrics = result.metrics
    typer.echo(format_table(metrics))
    if result.poses:
        people = f"{metrics['people']} people, {metrics['matched']} of them found"
        typer.echo(f"\nposes: PCK@0.2 {metrics['PCK@0.2']:.3f} over {people}")
    typer.echo(f"\n{len(result.pictures)} annotated pictures   {Path(result.pictures[0]).parent}")
    typer.echo(f"all on one sheet        {result.sheet}")
    typer.echo(f"boxes found             {result.predictions}")
    if result.poses:
        typer.echo(f"joints found            {result.poses}")
    typer.echo(f"drawn truth             {result.annotations}")


@app.command()
@cli_errors()
def models(as_json: AsJson = False) -> None:
    """List the presets: networks to train and models that ship."""
    from keras_cornernet.commands.listing import models as listed

    rows = listed()
    if as_json:
        typer.echo(json.dumps([row._asdict() for row in rows], indent=1))
        return
    line = "{:<23} {:>9} {:>10} {:>7} {:>6}  {}".format
    typer.secho(line("name", "input", "parameters", "GMAC", "AP", "weights"), bold=True)
    for row in rows:
        height, width = row.input_size
        count = "" if row.parameters is None else f"{row.parameters / 1e6:.1f} M"
        cost = "" if row.gmac is None else f"{row.gmac:.3g}"
        weights = "ship" if row.weights else "convert" if row.checkpoint else "train"
        typer.echo(line(row.name, f"{height}x{width}", count, cost, row.published_ap or "", weights))
        typer.secho(f"    {row.summary}", dim=True)
        if row.source:
            typer.secho(f"    AP as published: {row.source}", dim=True)
        if row.checkpoint:
            typer.secho(f"    convert: {row.checkpoint}", dim=True)


@app.command()
@cli_errors()
def predict(
    model: Runnable,
    sources: Annotated[list[str], typer.Argument(metavar="SOURCE", help="Images and folders of images.")],
    output: Annotated[Path, typer.Option(help="Folder for pictures and json.")] = Path("predictions"),
    score: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Leave out boxes below this score; by default pictures show boxes from 0.3 and "
            "predictions.json holds all.",
        ),
    ] = None,
    detector: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="For a pose network: finds the people. Without it each image is one person who fills it.",
        ),
    ] = None,
    flip: Flip = None,
    as_json: AsJson = False,
) -> None:
    """Find objects, or pose people: a picture for each image, and predictions.json in COCO result form."""
    from keras_cornernet.commands.detection import is_pose_model as is_pose

    if is_pose(model):
        from keras_cornernet.commands.posing import predict as run

        settings = {"detector": detector, "progress": progress_bar("posing")}
    elif detector is not None:
        raise ValueError(f"--detector finds people for a pose network, and {model} is a detector itself")
    else:
        from keras_cornernet.commands.detection import predict as run

        settings = {"progress": progress_bar("detecting")}
    result = run(model, sources, output, score=score, flip=flip, **settings)
    if as_json:
        typer.echo(json.dumps(result._asdict()))
    else:
        found = f"{len(result.predictions)} {'people' if 'detector' in settings else 'boxes'}"
        typer.echo(f"{len(result.images)} images, {found}: pictures and predictions.json in {output}")
    name_failed(result.failed)
    leave_if_failed(result.failed)


@app.command()
@cli_errors()
def evaluate(
    model: Runnable,
    annotations: Annotations,
    images: Images,
    annotation_format: Format = "coco",
    split: Split = None,
    adjusted: Adjusted = None,
    head_boxes: Annotated[
        Path | None, typer.Option(help="For PCKh on a json of mpii: its mpii_gt_val.mat.")
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="File for the numbers.")] = None,
    flip: Flip = None,
) -> None:
    """Measure COCO AP of a detector, or PCK of a pose network, on annotated images."""
    from keras_cornernet.commands.detection import is_pose_model as is_pose

    if is_pose(model):
        from keras_cornernet.commands.pose_evaluation import evaluate as run
        from keras_cornernet.evaluation import format_pose_table as table

        settings = {"annotation_format": annotation_format, "split": split, "adjusted": adjusted}
        settings |= {"head_boxes": head_boxes, "progress": progress_bar("posing")}
    elif annotation_format != "coco":
        raise ValueError(f"--format {annotation_format} is of pose networks, and {model} is a detector")
    else:
        from keras_cornernet.commands.evaluation import evaluate as run
        from keras_cornernet.evaluation import format_table as table

        settings = {"progress": progress_bar("detecting")}
    result = run(model, annotations, images, json_file=json_file, flip=flip, **settings)
    typer.echo(table(result.metrics))
    name_failed(getattr(result, "notes", []), "note")
    name_failed(result.problems, "left out")
    name_failed(result.failed)
    leave_if_failed(result.failed)


@app.command()
@cli_errors(training=True)
def train(
    preset: Annotated[
        str, typer.Argument(metavar="PRESET", help="A name (see 'models') or a .keras file to go on from.")
    ],
    annotations: Annotations,
    images: Images,
    val_annotations: Annotated[
        Path | None, typer.Option(help="Annotations of the validation set, for AP or PCK and the best model.")
    ] = None,
    val_images: Annotated[Path | None, typer.Option(help="Its folder, if another one.")] = None,
    annotation_format: Format = "coco",
    adjusted: Adjusted = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Passes over the data (100; papers' presets: as published).")
    ] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, help="Images per step (8; likewise).")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="At its highest (0.001; likewise).")] = None,
    optimizer: Annotated[
        str | None,
        typer.Option(metavar="adam|rmsprop", help="rmsprop: Torch's, of the pose papers (adam; likewise)."),
    ] = None,
    input_size: Annotated[
        str | None, typer.Option(parser=parse_size, metavar="HxW", help="Instead of the preset's.")
    ] = None,
    rotations: Annotated[
        bool | None, typer.Option("--rotations", help="The subjects have no up: show them turned, too.")
    ] = None,
    evaluate_every: Annotated[int | None, typer.Option(min=1, help="Epochs between measures (5).")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Of weights, order, augmentation (0).")] = None,
    output: Annotated[Path | None, typer.Option(help="Folder of the run; by default runs/PRESET.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in the folder.")] = False,
) -> None:
    """Train a detector or a pose network: best.keras, last.keras, results.csv, curves and pictures."""
    from keras_cornernet.commands.training import train as run

    config = {
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "optimizer": optimizer,
        "input_size": input_size,
        "rotations": rotations,
        "evaluate_every": evaluate_every,
        "seed": seed,
    }
    result = run(
        preset,
        annotations,
        images,
        val_annotations=val_annotations,
        val_images=val_images,
        annotation_format=annotation_format,
        adjusted=adjusted,
        output=output,
        config={name: value for name, value in config.items() if value is not None},
        resume=resume,
        verbose=1 if sys.stdout.isatty() else 2,
    )
    row = result.best
    if result.score in row:
        more = f" (AP50 {row['AP50']:.3f})" if "AP50" in row else ""
        typer.echo(f"best {result.score} {row[result.score]:.3f}{more} after epoch {row['epoch']:.0f}")
    typer.echo(f"{result.epochs} epochs in {result.output}; the model: {result.model}")
    name_failed(result.failed)
    leave_if_failed(result.failed)


@app.command("check-data")
@cli_errors()
def check_data(
    annotations: Annotations,
    images: Images,
    output: Annotated[Path, typer.Option(help="Folder for pictures and report.json.")] = Path("data_check"),
    pictures: Annotated[int, typer.Option(min=0, help="Images to draw.")] = 8,
    preset: Annotated[
        str | None,
        typer.Option(
            help="Whose input size and targets are drawn: a detector's for boxes, a pose network's for "
            "joints. By default cornernet_small, or hourglass_phone for a format other than coco."
        ),
    ] = None,
    annotation_format: Format = "coco",
    split: Split = None,
    adjusted: Adjusted = None,
    as_json: AsJson = False,
) -> None:
    """Count what a data set holds, find its faults, draw it and the targets made of it."""
    from keras_cornernet.presets import is_pose

    preset = preset or ("cornernet_small" if annotation_format == "coco" else "hourglass_phone")
    bar = progress_bar("reading images")
    if is_pose(preset):
        from keras_cornernet.commands.pose_checking import check_data as run

        settings = {"annotation_format": annotation_format, "split": split, "adjusted": adjusted}
    elif annotation_format != "coco":
        raise ValueError(f"--format {annotation_format} is of pose networks, and {preset} is a detector")
    else:
        from keras_cornernet.commands.checking import check_data as run

        settings = {}
    result = run(annotations, images, output, pictures=pictures, preset=preset, progress=bar, **settings)
    if as_json:
        typer.echo(json.dumps(result._asdict()))
    else:
        for name, value in result.counts.items():
            shown = ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else value
            typer.echo(f"{name.replace('_', ' '):<26}{shown}")
        typer.echo(f"\n{len(result.pictures)} pictures and report.json in {output}")
    name_failed(result.problems, "fault")
    leave_if_failed(result.problems)


@app.command()
@cli_errors()
def convert(
    checkpoint: Annotated[
        Path,
        typer.Argument(metavar="CHECKPOINT", help="A PyTorch file of the authors' or a compatible code."),
    ],
    output: Annotated[Path, typer.Option(help="The .keras file to write.")],
    num_classes: Annotated[
        int | None, typer.Option(min=1, help="Fresh class heads for so many classes; the body is kept.")
    ] = None,
) -> None:
    """Turn a PyTorch checkpoint into a .keras file."""
    from keras_cornernet.conversion import convert as run

    report = run(checkpoint, output, num_classes=num_classes)
    typer.echo(f"{output}: {report.parameters:,} parameters, from a file of {report.layout}")
    for name, value in report.arguments.items():
        typer.echo(f"  {name:<18}{value}")
    name_failed([f"{name} ({why})" for name, why in report.unused.items()], "not used")
    name_failed(report.missing, "fresh")


@app.command("export")
@cli_errors()
def export_model(
    model: Model,
    output: Annotated[Path, typer.Option(help="Folder for what is written.")],
    format: Annotated[
        str, typer.Option("--format", metavar="savedmodel|tflite|onnx|openvino", help="Of what is written.")
    ] = "savedmodel",
    name: Annotated[str | None, typer.Option(help="By default the model's.")] = None,
    precision: Annotated[
        str, typer.Option(metavar="float32|float16|dynamic|int8", help="Of a tflite network.")
    ] = "float32",
    images: Annotated[
        Path | None,
        typer.Option(help="Images to compare on, and for int8 to measure ranges on; else scenes are drawn."),
    ] = None,
    annotations: Annotated[
        Path | None, typer.Option(help="Of a pose network's --images: show the people, each in a square.")
    ] = None,
    annotation_format: Annotated[
        str, typer.Option(metavar="coco|lsp|mpii|flic", help="Of the annotations.")
    ] = "coco",
    input_size: Annotated[
        str | None,
        typer.Option(
            parser=parse_size, metavar="HxW", help="In which the network sees images, if not its own."
        ),
    ] = None,
    image_size: Annotated[
        str | None,
        typer.Option(
            parser=parse_size, metavar="HxW", help="Of the images that tflite, onnx, openvino take."
        ),
    ] = None,
    flip: Flip = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Of the runtime, for the comparison.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write a model for TF Serving, phones, browsers or servers, and compare it with Keras."""
    from keras_cornernet.commands.exporting import export as run

    result = run(
        model,
        output,
        format=format,
        name=name,
        precision=precision,
        images=images,
        annotations=annotations,
        annotation_format=annotation_format,
        input_size=input_size,
        image_size=image_size,
        flip=flip,
        threads=threads,
    )
    if as_json:
        typer.echo(json.dumps(result._asdict()))
    else:
        found = result.agreement
        typer.echo(f"{result.path}: {result.bytes / 1e6:.2f} MB, {found['milliseconds']:.1f} ms an image")
        typer.echo(
            f"against Keras: {found['fraction']:.1%} of {found['compared']} boxes or joints agree; farthest "
            f"apart {found['largest_place']:.2%} of the image, in score {found['largest_score']:.4f}"
        )
    name_failed(result.notes, "note")
    name_failed(result.failed)
    leave_if_failed(result.failed)


@app.command()
@cli_errors()
def benchmark(
    model: Runnable,
    image: Annotated[Path | None, typer.Option(help="To measure on; by default a scene is drawn.")] = None,
    repeats: Annotated[int, typer.Option(min=1, help="Runs, of which the median is told.")] = 20,
    flip: Flip = None,
    as_json: AsJson = False,
) -> None:
    """Measure how long a model takes for an image, part by part, and what it weighs."""
    from keras_cornernet.commands.benchmarking import benchmark as run

    result = run(model, image=image, repeats=repeats, flip=flip)
    if as_json:
        typer.echo(json.dumps(result._asdict()))
        return
    units = {"preprocessing": "ms", "network": "ms", "decoding": "ms", "total": "ms", "peak_memory": "MB"}
    for name, value in result._asdict().items():
        if value is None:
            continue
        shown = "x".join(map(str, value)) if isinstance(value, list) else value
        shown = (
            f"{shown:.4g}" if isinstance(shown, float) else f"{shown:,}" if isinstance(shown, int) else shown
        )
        typer.echo(f"{name.replace('_', ' '):<20}{shown} {units.get(name, '')}".rstrip())


@app.command("make-data")
@cli_errors()
def make_data(
    output: Annotated[Path, typer.Option(help="Folder for images/ and annotations.json.")],
    count: Annotated[int, typer.Option(min=1, help="Number of scenes.")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="The same number draws the same scenes.")] = 0,
    size: Annotated[str, typer.Option(parser=parse_size, metavar="HxW", help="Of the images.")] = "240x320",
) -> None:
    """Draw scenes with people: a COCO data set with boxes and 14 keypoints."""
    from keras_cornernet.commands.drawing import make_data as run

    path = run(output, count=count, seed=seed, size=size, progress=progress_bar("drawing scenes"))
    typer.echo(f"{count} scenes: {path}")
