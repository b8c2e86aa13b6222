"""`keras-cornernet selftest`: whether the runtime here answers right for an exported file."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from keras_cornernet.cli.console import exit_if_any, show
from keras_cornernet.cli.options import AsJson, Trust


@dataclass(frozen=True)
class SelfTestReport:
    """What the self-tests of a file said; the fields are fit for json.

    Attributes:
        path: of the file.
        runs: for each way to run it, a `SelfTestResult` as a dict.
        lines: the same for people.
        shows: names of the faults of programs that the self-test shows.
        scores: boxes or joints are shown from these scores, by class; one for all under an empty name.
        loss: how far the file is from the model in Keras, see `Description.loss`.
    """

    path: str
    runs: dict[str, dict[str, Any]]
    lines: list[str]
    shows: list[str]
    scores: dict[str, float]
    loss: Mapping[str, Any]

    def __str__(self) -> str:
        return "\n".join(self.lines)


def self_test_file(
    path: str | Path,
    *,
    threads: int | None = None,
    xnnpack: bool | None = None,
    trust: bool = False,
    save: str | Path | None = None,
) -> SelfTestReport:
    """Runs the self-test of an exported file in the runtime here, in every way that it can be run.

    Args:
        path: a `.tflite`, `.onnx` or `.xml` file or the folder of a version of a SavedModel.
        threads: of the runtime; None tries one and as many as the runtime takes by itself.
        xnnpack: of TFLite: with or without XNNPACK; None tries both.
        trust: of a SavedModel, see `export.load`.
        save: a folder for the pictures and `answers.json`, for tests of one's own program.

    Raises:
        ValueError: there is no such file, or it has no self-test.
        ImportError: the runtime is not installed.
    """
    from dataclasses import asdict

    from keras_cornernet import export
    from keras_cornernet.export import self_tests

    path = Path(path)
    runs, lines, description = {}, [], None
    for name, options in _ways(path, threads, xnnpack).items():
        opened = export.load(path, trust=trust, **options)
        description = opened.description
        result = self_tests.run_self_test(opened)
        runs[name] = asdict(result)
        lines.append(f"{name}: {result}")
    assert description is not None
    if save is not None:
        lines.append(f"written: {self_tests.save_self_test(description, save)}")
    test = self_tests.SelfTest.from_json(description.self_test)
    scores = dict(zip(description.names, description.scores, strict=False)) or {"": description.score}
    lines += [_loss(description.loss), f"shown from the score: {_numbers(scores)}"]
    return SelfTestReport(str(path), runs, lines, list(test.faults), scores, description.loss)


def _ways(path: Path, threads: int | None, xnnpack: bool | None) -> dict[str, dict[str, Any]]:
    """Options of `export.load` by what they mean, for people."""
    if path.is_dir():
        return {"TensorFlow": {"threads": threads}}
    name = {".tflite": "LiteRT", ".onnx": "ONNX Runtime", ".xml": "OpenVINO"}.get(path.suffix, "runtime")
    counts = [1, None] if threads is None else [threads]
    kernels = [True, False] if xnnpack is None and path.suffix == ".tflite" else [xnnpack is not False]
    ways = {}
    for fast in kernels:
        for count in counts:
            words = "threads as it likes" if count is None else f"{count} thread{'s' if count > 1 else ''}"
            if path.suffix == ".tflite":
                words += ", with XNNPACK" if fast else ", without XNNPACK"
            ways[f"{name}, {words}"] = {"threads": count, "xnnpack": fast}
    return ways


def _loss(loss: Mapping[str, Any]) -> str:
    if not loss:
        return "against Keras: not measured ('keras-cornernet export' measures it)"
    words = (
        f"against Keras when it was written: {loss['fraction']:.1%} of {loss['compared']} boxes or joints "
        "agreed"
    )
    return words + (f", AP {loss['AP']:.3f} of {loss['AP_of_model']:.3f}" if "AP" in loss else "")


def _numbers(scores: Mapping[str, float]) -> str:
    return ", ".join(f"{score:.2f} {name}".strip() for name, score in scores.items())


def selftest(
    model: Annotated[Path, typer.Argument(metavar="FILE", help="What 'export' wrote.")],
    threads: Annotated[
        int | None, typer.Option(min=1, help="By default one, then as the runtime likes.")
    ] = None,
    xnnpack: Annotated[
        bool | None,
        typer.Option("--xnnpack/--no-xnnpack", help="Of TFLite; by default both, in turn."),
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(help="Folder for pictures and answers, to test a program of your own."),
    ] = None,
    trust: Trust = False,
    as_json: AsJson = False,
) -> None:
    """Ask whether the runtime here gives the answers that an exported file must give; exit code 1 if not."""
    report = self_test_file(model, threads=threads, xnnpack=xnnpack, trust=trust, save=save)
    show(report, as_json)
    exit_if_any([name for name, run in report.runs.items() if not run["right"]])
