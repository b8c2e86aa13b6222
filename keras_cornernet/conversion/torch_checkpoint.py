"""Reads PyTorch checkpoints into plain arrays; no code in the file is run."""

import pickle
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from keras_cornernet import bounds
from keras_cornernet.extras import import_extra

_ZIP = b"PK\x03\x04"
# Files of `torch.save` before PyTorch 1.6 begin with this number, pickled; see `torch.serialization`.
_LEGACY = pickle.dumps(0x1950A86A20F9469CFC6C, protocol=2)

# Keys under which training scripts store the weights, beside epoch and optimizer; averaged ones last, which
# are taken where there are no others.
_NESTED = ("state_dict", "model_state_dict", "model", "network", "net", "module")
_AVERAGED = ("state_dict_ema", "ema_state_dict", "model_ema", "ema", "ema_model")
_DEEPEST = 3  # keys within keys
# What wrappers (DataParallel, torch.compile, Lightning, modules that hold the network) set before all names.
_PREFIXES = ("model.", "module.", "_orig_mod.", "net.", "network.", "ema_model.")


def read_checkpoint(path: str | Path) -> dict[str, np.ndarray]:
    """Reads the weights of a file that `torch.save` wrote.

    Both formats of PyTorch are read (zip, and the pickles from before 1.6), from any device, and weights
    inside a training checkpoint under keys such as `"state_dict"`, of Lightning too; averaged weights
    (`"ema"`) where there are no others. Prefixes that wrappers leave, such as `module.` and `_orig_mod.`, are
    dropped in any nesting when all names have them. NumPy numbers beside the weights do not disturb.
    `.safetensors` files are read too.

    Args:
        path: the file.

    Returns:
        Name to array, in the file's order, in PyTorch's layout and in the file's own types (bfloat16, which
        NumPy lacks, becomes float32). Arrays may share memory, as the file's tensors do.

    Raises:
        ImportError: PyTorch is not installed.
        ValueError: there is no such file, it is not a checkpoint, is damaged, holds no tensors, or holds
            anything whose loading would run code; the message names the file and the reason.
    """
    path = Path(path)
    if path.suffix == ".safetensors":
        state = _load_safetensors(path)
    else:
        _check_outline(path)
        state = _weights_in(_load(path), path)
    while prefix := next((p for p in _PREFIXES if all(name.startswith(p) for name in state)), ""):
        state = {name.removeprefix(prefix): tensor for name, tensor in state.items()}
    _check_sizes(state, path)
    return {name: _to_array(tensor, f"{path}: {name}") for name, tensor in state.items()}


def _check_outline(path: Path) -> None:
    """Raises `ValueError` if the first bytes or the list of members are not those of a `torch.save` file."""
    if not path.is_file():
        raise ValueError(f"{path}: no such file")
    with path.open("rb") as stream:
        head = stream.read(len(_LEGACY))
    if not head:
        raise ValueError(f"{path}: the file is empty")
    if head.startswith(_ZIP):
        _check_archive(path)
    elif not head.startswith(_LEGACY[: len(head)]):
        raise ValueError(
            f"{path}: not a PyTorch checkpoint: neither format of torch.save begins like this. (A plain "
            "pickle is not opened, since that could run code from the file)"
        )


def _check_archive(path: Path) -> None:
    try:
        with bounds.open_zip(path, ratio=bounds.WEIGHTS_RATIO) as archive:
            sizes = {member.filename.rpartition("/")[2]: member.file_size for member in archive.infolist()}
    except ValueError as error:
        reason = str(error).removeprefix(f"{path}: ")
        raise ValueError(f"{path}: the checkpoint is damaged or cut short ({reason})") from None
    if "constants.pkl" in sizes:
        raise ValueError(f"{path}: holds a TorchScript program; save the model's state_dict() instead")
    if "data.pkl" not in sizes:
        raise ValueError(f"{path}: a zip file, but not a PyTorch checkpoint (it has no data.pkl)")
    if sizes["data.pkl"] > bounds.LARGEST_TEXT:
        raise ValueError(
            f"{path}: its data.pkl unpacks to {sizes['data.pkl'] / 1e6:.0f} MB, which is not read"
        )


def _load(path: Path) -> Any:
    torch = import_extra("torch", "torch", "reading a PyTorch checkpoint")
    try:
        with _numpy_numbers(torch), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about old forms, with advice to report them to PyTorch
            # Not mapped into memory: overwriting the file would then end the process with a bus error.
            return torch.load(path, map_location="cpu", weights_only=True, mmap=False)
    except pickle.UnpicklingError as error:
        found = re.search(r"GLOBAL (\S+)", str(error))
        if found is None:
            # The other words of PyTorch's message advise to load the file without its safety.
            reason = str(error).partition("WeightsUnpickler error: ")[2] or "it cannot be unpickled"
            raise ValueError(f"{path}: the checkpoint is damaged ({_first_line(reason)})") from error
        raise ValueError(
            f"{path}: refused, since loading it would run code: it asks for {found.group(1)}, and only "
            "tensors and plain containers are loaded. If you trust its origin, save its state_dict() alone"
        ) from None
    except Exception as error:  # torch raises many types, even KeyError, for damaged files
        raise ValueError(f"{path}: the checkpoint is damaged or cut short ({_first_line(error)})") from error


def _numpy_numbers(torch: Any) -> AbstractContextManager[None]:
    """Within the block, NumPy's numbers are read too; making them runs no code of the file."""
    if not hasattr(torch.serialization, "safe_globals"):  # before 2.5
        return nullcontext()
    maker = np.float64(0).__reduce__()[0]
    kinds = {type(np.dtype(code)) for code in "?bBhHiIlLqQefd"}
    # Files name the maker as NumPy 1 and as NumPy 2 has it.
    named = [(maker, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")]
    context: AbstractContextManager[None] = torch.serialization.safe_globals([*named, np.dtype, *kinds])
    return context


def _load_safetensors(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ValueError(f"{path}: no such file")
    import_extra("torch", "torch", "reading a checkpoint")
    safetensors = import_extra("safetensors.torch", "torch", "reading a .safetensors file")
    try:
        state: dict[str, Any] = safetensors.load_file(path)
    except Exception as error:  # of the library's own type, or a KeyError
        raise ValueError(f"{path}: not a safetensors file, or damaged ({_first_line(error)})") from error
    if not state:
        raise ValueError(f"{path}: holds no tensors")
    return state


def _first_line(error: Exception | str) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]


def _weights_in(content: Any, path: Path) -> dict[str, Any]:
    """The tensors by name, of the file itself or of the entry that has most of them.

    Beside the weights there may be a single tensor, such as the best accuracy.
    """
    import torch

    def tensors_in(candidate: Any) -> dict[str, Any]:
        return {
            name: value
            for name, value in (candidate.items() if isinstance(candidate, dict) else ())
            if isinstance(name, str) and isinstance(value, torch.Tensor)
        }

    for keys in (_NESTED, _AVERAGED + _NESTED):
        tensors = max(map(tensors_in, _inside(content, keys, _DEEPEST)), key=len)
        if len(tensors) > 1 or (tensors and keys is not _NESTED):
            return tensors
    what = f"a dict with {_some(content)}" if isinstance(content, dict) else f"a {type(content).__name__}"
    raise ValueError(f"{path}: holds no named tensors, but {what}")


def _inside(content: Any, keys: Sequence[str], depth: int) -> Iterator[Any]:
    """What lies under such keys, and the content itself at last."""
    if isinstance(content, dict) and depth:
        for key in keys:
            if key in content:
                yield from _inside(content[key], keys, depth - 1)
    yield content


def _some(names: Iterable[Any]) -> str:
    return ", ".join(map(repr, list(names)[:5])) or "nothing in it"


def _check_sizes(state: dict[str, Any], path: Path) -> None:
    """Raises `ValueError` where tensors repeat a few stored numbers to more than the file holds."""
    total = 0
    for name, tensor in state.items():
        size = tensor.numel() * tensor.element_size()
        if str(tensor.layout) == "torch.strided" and str(tensor.device) == "cpu":
            stored = tensor.untyped_storage().nbytes()
            if stored < size:
                raise ValueError(f"{path}: {name} has {size:,} bytes, and {stored:,} are stored")
            total += size
    if total > max(bounds.SMALL, bounds.WEIGHTS_RATIO * path.stat().st_size):
        raise ValueError(f"{path}: its tensors take {total / 1e9:.1f} GB, which is not what the file holds")


def _to_array(tensor: Any, where: str) -> np.ndarray:
    import torch

    tensor = tensor.detach()
    try:
        array: np.ndarray = (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()
        return array
    except (TypeError, RuntimeError, NotImplementedError) as error:  # sparse, quantized, without values
        raise ValueError(f"{where} is not a plain tensor ({_first_line(error)})") from None
