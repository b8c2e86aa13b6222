"""The runtimes that exported files are made for: each opens a file and answers for an image."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from keras_cornernet.export.description import KEY, Description
from keras_cornernet.export.finite import check_numbers_of, onnx_arrays, openvino_arrays, tflite_arrays
from keras_cornernet.export.operations import check_operations
from keras_cornernet.export.pool import Pool, workers_for
from keras_cornernet.extras import import_extra

# Where the description lies in a SavedModel, see `export.saved_model`.
DESCRIPTION_ASSET = Path("assets") / "description.json"
Answers = dict[str, np.ndarray]


class Runtime(Protocol):
    """An opened file.

    Attributes:
        description: what the file states about itself.
    """

    description: Description

    def run(self, images: np.ndarray) -> Answers:
        """The answers by name, with their batch axis; may be called from several threads.

        Args:
            images: `(1, height, width, 3)` uint8 RGB of the size that the description states. A SavedModel
                takes `(batch, height, width, 3)` of any size.
        """
        ...


def open_runtime(
    path: str | Path, *, threads: int | None = None, trust: bool = False, xnnpack: bool = True
) -> "Opened":
    """Opens a `.tflite`, `.onnx` or `.xml` file or the folder of a SavedModel.

    Args:
        path: of the file or folder.
        threads: number of threads that the runtime may use; None leaves it to the runtime. Those of
            TensorFlow are set for the whole process, not here.
        trust: run a SavedModel whatever operations it has; they may read and write any file.
        xnnpack: of TFLite: use its fast kernels for CPUs (XNNPACK), as phones do by default; False uses the
            plain ones.

    Raises:
        ValueError: there is no such file, it is damaged, it is not an export of this package, or it may do
            more than compute. Running it raises the same where the damage shows only then.
        ImportError: the runtime is not installed; the message names the extra.
    """
    path = Path(path)
    if not path.exists():
        raise ValueError(f"{path}: no such file or folder")
    runtime: Callable[..., Runtime] | None = SavedModelRuntime if path.is_dir() else RUNTIMES.get(path.suffix)
    if runtime is None:
        suffixes = ", ".join(RUNTIMES)
        raise ValueError(f"{path}: expected the folder of a SavedModel or a file of {suffixes}")
    if trust and path.is_dir():
        runtime = partial(runtime, trust=True)
    if not xnnpack:
        if path.suffix != ".tflite":
            raise ValueError(f"{path}: XNNPACK can be chosen only where a .tflite file is run")
        runtime = partial(runtime, xnnpack=False)
    return Opened(path, runtime, threads)


class Opened:
    """A runtime with a file, whose own errors become one line that names the file.

    Each runtime has errors of its own kinds, some of many lines; a damaged file can raise any of them.

    Attributes:
        path: of the file or folder.
        description: see `Runtime`.
    """

    def __init__(self, path: Path, kind: Callable[..., Runtime], threads: int | None = None):
        self.path = path
        with self._named("cannot be opened, it seems to be damaged"):
            self._runtime = kind(path, threads)
        self.description = self._runtime.description

    def read_by(self, reader: Callable[[Runtime], Runtime]) -> "Opened":
        """The same file, whose answers are brought into another form; errors in that name the file, too."""
        self._runtime = reader(self._runtime)
        return self

    def run(self, images: np.ndarray) -> Answers:
        """See `Runtime.run`."""
        with self._named("cannot be run, it seems to be damaged"):
            return self._runtime.run(images)

    @contextmanager
    def _named(self, what: str) -> Iterator[None]:
        try:
            yield
        except (ImportError, MemoryError):
            raise
        except Exception as error:
            if str(error).startswith(f"{self.path}: "):
                raise
            lines = str(error).strip().splitlines() or [type(error).__name__]
            raise ValueError(f"{self.path}: {what} ({lines[0][:200]})") from error


def is_exported(path: str | Path) -> bool:
    """Whether a path has the suffix of an exported file or is the folder of a SavedModel."""
    path = Path(path)
    return path.suffix in RUNTIMES or (path / "saved_model.pb").is_file()


class SavedModelRuntime:
    """TensorFlow, on the signature `images`."""

    def __init__(self, path: Path, threads: int | None = None, *, trust: bool = False):
        tensorflow = import_extra("tensorflow", "tf-cpu", "a SavedModel")
        if not (path / DESCRIPTION_ASSET).is_file():
            raise ValueError(f"{path}: not a SavedModel of this package: {DESCRIPTION_ASSET} is missing")
        self.description = _description(path, (path / DESCRIPTION_ASSET).read_bytes())
        if not trust:
            check_operations(path)
        # Kept, because its functions die with it.
        self._loaded = tensorflow.saved_model.load(str(path))
        self._function = self._loaded.signatures["images"]
        weights = getattr(self._loaded, "weights", ())
        check_numbers_of(path, ((f"number {i}", weight.numpy()) for i, weight in enumerate(weights)))

    def run(self, images: np.ndarray) -> Answers:
        """See `Runtime.run`."""
        answers = self._function(images=images.astype(np.float32))
        return {name: value.numpy() for name, value in answers.items()}


class TFLiteRuntime:
    """LiteRT, the runtime of phones; each call has an interpreter of its own."""

    def __init__(self, path: Path, threads: int | None = None, *, xnnpack: bool = True):
        interpreter = import_extra("ai_edge_litert.interpreter", "tflite", "a TensorFlow Lite model")
        data = path.read_bytes()
        self.description = _description(path, _metadata(data))
        check_numbers_of(path, tflite_arrays(data))

        kinds = interpreter.OpResolverType
        kernels = kinds.AUTO if xnnpack else kinds.BUILTIN_WITHOUT_DEFAULT_DELEGATES

        def runner() -> Any:
            # The weights are shared: they stay in `data`, which no interpreter copies.
            return interpreter.Interpreter(
                model_content=data, num_threads=threads, experimental_op_resolver_type=kernels
            ).get_signature_runner()

        self._runners = Pool(runner, workers_for(threads))  # left to itself, LiteRT takes one thread
        with self._runners.lent() as first:
            self._dtype = first.get_input_details()["images"]["dtype"]

    def run(self, images: np.ndarray) -> Answers:
        """See `Runtime.run`."""
        with self._runners.lent() as runner:
            answers: Answers = runner(images=images.astype(self._dtype))
            return answers


class OnnxRuntime:
    """ONNX Runtime on the CPU."""

    def __init__(self, path: Path, threads: int | None = None):
        onnxruntime = import_extra("onnxruntime", "onnx", "an ONNX model")
        _check_onnx(path)
        onnxruntime.set_default_logger_severity(3)  # its warnings are about details that change no answer
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.description = _description(path, self._session.get_modelmeta().custom_metadata_map.get(KEY))
        self._names = [output.name for output in self._session.get_outputs()]

    def run(self, images: np.ndarray) -> Answers:
        """See `Runtime.run`."""
        values = self._session.run(self._names, {"images": images.astype(np.float32)})
        return dict(zip(self._names, values, strict=True))


class OpenVinoRuntime:
    """OpenVINO on the CPU, in float32; each call has an inference request of its own."""

    def __init__(self, path: Path, threads: int | None = None):
        openvino = import_extra("openvino", "openvino", "an OpenVINO model")
        model = openvino.Core().read_model(path)
        text = model.get_rt_info(KEY).astype(str) if model.has_rt_info(KEY) else None
        self.description = _description(path, text)
        check_numbers_of(path, openvino_arrays(model))
        settings: dict[str, str | int] = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
        if threads:
            settings["INFERENCE_NUM_THREADS"] = threads
        compiled = openvino.Core().compile_model(model, "CPU", settings)
        self._requests = Pool(compiled.create_infer_request, workers_for(threads))

    def run(self, images: np.ndarray) -> Answers:
        """See `Runtime.run`."""
        with self._requests.lent() as request:
            values = request.infer([images.astype(np.float32)], share_outputs=False)
            return {output.get_any_name(): value for output, value in values.items()}


RUNTIMES: dict[str, Callable[..., Runtime]] = {
    ".tflite": TFLiteRuntime,
    ".onnx": OnnxRuntime,
    ".xml": OpenVinoRuntime,
}


def _check_onnx(path: Path) -> None:
    """Raises `ValueError` where weights lie in another file, which may be any, or are no numbers."""
    onnx = import_extra("onnx", "onnx", "an ONNX model")
    model = onnx.load(str(path), load_external_data=False)
    waiting = [model.graph, *model.functions]
    while waiting:
        part = waiting.pop()
        tensors = [*getattr(part, "initializer", ())]
        tensors += [
            t for sparse in getattr(part, "sparse_initializer", ()) for t in (sparse.values, sparse.indices)
        ]
        for attribute in (attribute for node in part.node for attribute in node.attribute):
            waiting += [attribute.g, *attribute.graphs]
            tensors += [attribute.t, *attribute.tensors]
        for tensor in tensors:
            if tensor.external_data:
                raise ValueError(f"{path}: the weight {tensor.name} lies in another file, which is not read")
        check_numbers_of(path, onnx_arrays(tensors))


def _description(path: Path, text: str | bytes | None) -> Description:
    try:
        if text is None:
            raise ValueError("it has no description")
        return Description.from_json(text)
    except ValueError as error:
        raise ValueError(f"{path}: not an export of this package ({error})") from error


def _metadata(data: bytes) -> bytes | None:
    """The text under `KEY` in a TFLite file."""
    schema = import_extra("ai_edge_litert.schema_py_generated", "tflite", "a TensorFlow Lite model")
    if data[4:8] != b"TFL3":
        return None
    model = schema.Model.GetRootAs(data, 0)
    for entry in map(model.Metadata, range(model.MetadataLength())):
        if entry.Name() == KEY.encode():
            return bytes(model.Buffers(entry.Buffer()).DataAsNumpy())
    return None
