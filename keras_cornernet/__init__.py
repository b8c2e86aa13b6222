"""CornerNet detection and human pose in Keras 3.

`import keras_cornernet` registers the layers and networks with Keras, so that `keras.saving.load_model` opens
the files of this package right after it. Everything else is loaded when its name is first used.
"""

import importlib
import importlib.util
import sys
from pathlib import Path

# Where each public name lives.
_HOMES = {
    "CenterNet": "models",
    "CenterCodec": "codecs",
    "CentripetalCodec": "codecs",
    "CentripetalNet": "models",
    "CornerCodec": "codecs",
    "CornerNet": "models",
    "CornerNetSaccade": "models",
    "CornerNetSqueeze": "models",
    "DetectionLoss": "losses",
    "EvaluationCallback": "training",
    "EvaluationResult": "evaluation",
    "Detections": "results",
    "Detector": "inference",
    "KeypointCodec": "codecs",
    "ObjectsAsPoints": "models",
    "PoseEstimator": "inference",
    "PoseLoss": "losses",
    "Poses": "results",
    "SaccadeCodec": "codecs",
    "SaccadeDetector": "inference",
    "StackedHourglass": "models",
    "Trainer": "training",
    "TripletCodec": "codecs",
    "convert": "conversion",
    "evaluate_detections": "evaluation",
    "evaluate_poses": "evaluation",
    "from_preset": "presets",
    "join_datasets": "data.joining",
    "make_dataset": "data.pipeline",
    "make_scenes": "data.scenes",
    "read_coco": "data.readers",
    "read_dataset": "data.readers",
    "read_people": "data.readers",
    "read_pascal_voc": "data.readers",
    "save_model": "presets",
    "make_trainer": "presets",
}
_ROOMS = (
    *("codecs", "conversion", "data", "evaluation", "export", "inference", "layers", "losses", "models"),
    *(
        "ops",
        "preprocessing",
        "presets",
        "skeletons",
        "results",
        "structures",
        "tasks",
        "training",
        "visualization",
    ),
)

__all__ = sorted(["__version__", *_HOMES, *_ROOMS])


def __getattr__(name: str) -> object:
    if name in _HOMES:
        try:
            value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
        except ModuleNotFoundError as error:
            if error.name != "keras":
                raise
            from keras_cornernet.backend import prepare_backend

            prepare_backend()  # says what to type
            raise
    elif name in _ROOMS:
        value = importlib.import_module(f"{__name__}.{name}")
    elif name == "__version__":
        value = _version()
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value  # found without this function from now on
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _version() -> str:
    from importlib import metadata

    try:
        return metadata.version(__name__)
    except metadata.PackageNotFoundError:  # a source tree on sys.path, not installed
        return "0+unknown"


def _is_command_line() -> bool:
    """Whether this process is the command `keras-cornernet` or `python -m keras_cornernet`.

    The command loads Keras only once it is needed, so that `--help` answers at once. While Python looks for
    the module of `-m`, `sys.argv[0]` is "-m".
    """
    program = sys.argv[0] if sys.argv else ""
    if program == "-m":
        return f"-m{__name__}" in sys.orig_argv or ("-m", __name__) in zip(
            sys.orig_argv, sys.orig_argv[1:], strict=False
        )
    return Path(program).stem.removesuffix("-script") == "keras-cornernet"


# Without Keras exported files can still be opened, and data sets read.
if not _is_command_line() and importlib.util.find_spec("keras") is not None:
    from keras_cornernet.backend import prepare_backend

    prepare_backend()
    from keras_cornernet import layers, models  # noqa: F401  (registers them with Keras)
