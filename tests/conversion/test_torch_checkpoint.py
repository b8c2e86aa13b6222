"""Reading PyTorch files: every format, and nothing that is not a checkpoint."""

import argparse
import os
import pickle
import sys
import zipfile

import numpy as np
import pytest

from keras_cornernet.conversion import read_checkpoint

FORMATS = [
    "zip_cpu.pth",
    "legacy_cpu.pkl",
    "zip_cuda.pth",
    "legacy_cuda.pkl",
    "nested_training_checkpoint.pth",
]


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch", reason="needs PyTorch: pip install 'keras_cornernet[torch]'")


class RunsCode:
    """A pickle of it runs a command that leaves a file behind."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch '{self.path}'",)


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_holds_the_same_numbers(name, parity, torch):
    folder = parity("checkpoint_formats")
    expected = {
        name.removeprefix("module."): value for name, value in np.load(folder / "expected.npz").items()
    }
    found = read_checkpoint(folder / name)
    assert list(found) == list(expected)
    for key, value in expected.items():
        assert found[key].dtype == value.dtype, key
        np.testing.assert_array_equal(found[key], value, err_msg=key)


@pytest.mark.parametrize("wrapper", [None, "state_dict", "model_state_dict", "model"])
def test_weights_are_found_inside_training_checkpoints(wrapper, tmp_path, torch):
    state = {"a.weight": torch.ones(2), "a.version": 3}
    optimizer = {"state": {0: {"exp_avg": torch.zeros(2)}}}
    content = state if wrapper is None else {"optimizer": optimizer, wrapper: state}
    torch.save(content, tmp_path / "file.pth")
    assert list(read_checkpoint(tmp_path / "file.pth")) == ["a.weight"]


@pytest.mark.parametrize("wrapper", [None, "state_dict", "net"])
def test_stray_tensors_are_not_taken_for_the_weights(wrapper, tmp_path, torch):
    state = {"a.weight": torch.ones(2), "a.bias": torch.ones(2)}
    if wrapper is None:
        content = {**state, "model": {"version": torch.ones(1)}}
    else:
        content = {"epoch": 3, wrapper: state, "best_acc": torch.tensor(0.9)}
    torch.save(content, tmp_path / "file.pth")
    assert list(read_checkpoint(tmp_path / "file.pth")) == ["a.weight", "a.bias"]
    torch.save({"state_dict": {"a": torch.ones(1)}, "best": torch.ones(1)}, tmp_path / "file.pth")
    assert list(read_checkpoint(tmp_path / "file.pth")) == ["a"]


def test_the_prefix_of_data_parallel_goes_only_when_all_names_have_it(tmp_path, torch):
    torch.save({"module.a": torch.ones(1), "b": torch.ones(1)}, tmp_path / "mixed.pth")
    assert list(read_checkpoint(tmp_path / "mixed.pth")) == ["module.a", "b"]


def test_bfloat16_becomes_float32(tmp_path, torch):
    torch.save({"a": torch.tensor([1.5, -2.0], dtype=torch.bfloat16)}, tmp_path / "file.pth")
    found = read_checkpoint(tmp_path / "file.pth")["a"]
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, [1.5, -2.0])


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_plain_pickle_is_refused_and_not_run(protocol, tmp_path):
    trace = tmp_path / "trace"
    path = tmp_path / "evil.pkl"
    path.write_bytes(pickle.dumps({"a": RunsCode(trace)}, protocol=protocol))
    with pytest.raises(ValueError, match=r"evil\.pkl: not a PyTorch checkpoint.*could run code"):
        read_checkpoint(path)
    assert not trace.exists()


@pytest.mark.parametrize("new_format", [True, False])
def test_code_inside_a_checkpoint_is_refused_and_not_run(new_format, tmp_path, torch):
    trace = tmp_path / "trace"
    path = tmp_path / "evil.pth"
    content = {"state_dict": {"a": torch.ones(2)}, "extra": RunsCode(trace)}
    torch.save(content, path, _use_new_zipfile_serialization=new_format)
    with pytest.raises(ValueError, match=r"evil\.pth: refused, since loading it would run code.*system"):
        read_checkpoint(path)
    assert not trace.exists()


def test_objects_other_than_tensors_are_named(tmp_path, torch):
    path = tmp_path / "args.pth"
    torch.save({"state_dict": {"a": torch.ones(2)}, "args": argparse.Namespace(lr=1)}, path)
    with pytest.raises(ValueError, match=r"args\.pth: refused.*argparse\.Namespace.*state_dict"):
        read_checkpoint(path)


@pytest.mark.parametrize("share", [0.02, 0.4, 0.9, 0.99])
@pytest.mark.parametrize("new_format", [True, False])
def test_a_truncated_file_is_named(new_format, share, tmp_path, torch):
    path = tmp_path / "short.pth"
    torch.save({"a": torch.ones(400), "b": torch.ones(30)}, path, _use_new_zipfile_serialization=new_format)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(ValueError, match=r"short\.pth: the checkpoint is damaged"):
        read_checkpoint(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"just some words\n" * 9, "not a PyTorch checkpoint"),
        (bytes(range(256)), "not a PyTorch checkpoint"),
    ],
)
def test_other_files_are_refused(content, said, tmp_path):
    path = tmp_path / "other.pth"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"other\.pth: .*{said}"):
        read_checkpoint(path)


def test_zip_files_of_others_are_refused(tmp_path):
    path = tmp_path / "weights.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}")
    with pytest.raises(ValueError, match="not a PyTorch checkpoint"):
        read_checkpoint(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("archive/constants.pkl", "")
    with pytest.raises(ValueError, match="TorchScript"):
        read_checkpoint(path)


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"absent\.pth: no such file"):
        read_checkpoint(tmp_path / "absent.pth")
    with pytest.raises(ValueError, match="no such file"):
        read_checkpoint(tmp_path)


def test_a_file_without_named_tensors_says_what_it_holds(tmp_path, torch):
    path = tmp_path / "file.pth"
    for content, said in (
        ({"epoch": 3, "state_dict": {}}, "a dict with 'epoch', 'state_dict'"),
        ([torch.ones(1)], "a list"),
        (torch.ones(1), "a Tensor"),
    ):
        torch.save(content, path)
        with pytest.raises(ValueError, match=f"holds no named tensors, but {said}"):
            read_checkpoint(path)


def test_a_tensor_without_plain_numbers_is_named(tmp_path, torch):
    torch.save({"a": torch.eye(2).to_sparse()}, tmp_path / "file.pth")
    with pytest.raises(ValueError, match=r"file\.pth: a is not a plain tensor"):
        read_checkpoint(tmp_path / "file.pth")


def test_without_torch_the_line_to_type_is_given(tmp_path, monkeypatch):
    path = tmp_path / "file.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", "")
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match=r"pip install 'keras_cornernet\[torch\]'"):
        read_checkpoint(path)


NESTINGS = [
    *("", "module.", "model.module.", "module.model.", "_orig_mod.", "module._orig_mod.", "net."),
    "module.model.net.",
]


@pytest.mark.parametrize("prefix", NESTINGS)
def test_prefixes_of_wrappers_are_dropped_in_any_nesting(prefix, tmp_path, torch):
    torch.save({f"{prefix}{name}": torch.ones(2) for name in ("a.weight", "b.bias")}, tmp_path / "file.pth")
    assert list(read_checkpoint(tmp_path / "file.pth")) == ["a.weight", "b.bias"]


def test_a_prefix_that_only_some_names_have_stays(tmp_path, torch):
    torch.save({"module.a": torch.ones(2), "b": torch.ones(2)}, tmp_path / "file.pth")
    assert list(read_checkpoint(tmp_path / "file.pth")) == ["module.a", "b"]


@pytest.mark.parametrize("number", [np.float64(0.5), np.float32(0.5), np.int64(3), np.bool_(True)])
def test_numbers_of_numpy_beside_the_weights(number, tmp_path, torch):
    state = {"a": torch.ones(2), "b": torch.ones(1)}
    torch.save({"state_dict": state, "best": number, "curve": [number]}, tmp_path / "file.pth")
    assert list(read_checkpoint(tmp_path / "file.pth")) == ["a", "b"]


def test_averaged_weights_are_taken_where_there_are_no_others(tmp_path, torch):
    weights, averaged = ({"a": torch.full((2,), v), "b": torch.ones(1)} for v in (1.0, 2.0))
    for content, expected in (
        ({"model": weights, "ema": averaged}, 1),
        ({"epoch": 3, "ema": {"module": averaged}}, 2),
        ({"state_dict_ema": averaged, "optimizer": {"x": 1}}, 2),
        ({"state_dict": {"model": weights}}, 1),
    ):
        torch.save(content, tmp_path / "file.pth")
        assert read_checkpoint(tmp_path / "file.pth")["a"][0] == expected


def test_lightning_checkpoints(tmp_path, torch):
    state = {f"model.{name}": torch.ones(2) for name in ("a", "b")}
    content = {
        "epoch": 1,
        "global_step": 10,
        "pytorch-lightning_version": "2.4.0",
        "state_dict": state,
        "callbacks": {"ModelCheckpoint": {"best_model_score": torch.tensor(0.5)}},
        "optimizer_states": [{"state": {0: {"exp_avg": torch.zeros(2)}}}],
    }
    torch.save(content, tmp_path / "last.ckpt")
    assert list(read_checkpoint(tmp_path / "last.ckpt")) == ["a", "b"]


def test_safetensors(tmp_path, torch):
    from safetensors.torch import save_file

    state = {"model.a": torch.arange(3.0), "model.b": torch.ones(2, dtype=torch.bfloat16)}
    save_file(state, tmp_path / "x.safetensors")
    found = read_checkpoint(tmp_path / "x.safetensors")
    np.testing.assert_array_equal(found["a"], [0, 1, 2])
    assert found["b"].dtype == np.float32
    (tmp_path / "cut.safetensors").write_bytes((tmp_path / "x.safetensors").read_bytes()[:-4])
    for name, words in (("cut", "not a safetensors file, or damaged"), ("gone", "no such file")):
        with pytest.raises(ValueError, match=words):
            read_checkpoint(tmp_path / f"{name}.safetensors")


def with_members(path, **changes):
    """Writes a checkpoint again with other members, named without their folder."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, changes.get(name.rpartition("/")[2].replace(".", "_"), content))
    return path


@pytest.fixture
def saved(tmp_path, torch):
    torch.save({"a": torch.ones(4), "b": torch.ones(4)}, tmp_path / "file.pth")
    return tmp_path / "file.pth"


def test_an_outline_that_unpacks_to_too_much_is_not_loaded(saved, torch, monkeypatch):
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("it is loaded"))
    with_members(saved, data_pkl=b"\x80\x02" + b"N0" * 2**23 + b"N.")
    with pytest.raises(ValueError, match=r"file\.pth: its data\.pkl unpacks to 17 MB"):
        read_checkpoint(saved)
    with_members(saved, data_pkl=bytes(2**27))
    with pytest.raises(ValueError, match=r"file\.pth: the checkpoint is damaged .*unpacks to 0.1 GB"):
        read_checkpoint(saved)


def test_a_damaged_name_in_the_archive_is_named_with_the_file(saved):
    content = bytearray(saved.read_bytes())
    at = content.rindex(b"data.pkl")
    content[at] = 0xE3
    header = content.rindex(b"PK\x01\x02", 0, at)
    content[header + 9] |= 0x08  # the flag that says UTF-8
    saved.write_bytes(content)
    with pytest.raises(ValueError, match=r"file\.pth: the checkpoint is damaged"):
        read_checkpoint(saved)


def test_no_message_advises_to_load_without_safety(saved):
    with_members(saved, data_pkl=b"\x80\x02\x95junk")
    with pytest.raises(ValueError, match=r"file\.pth: the checkpoint is damaged") as caught:
        read_checkpoint(saved)
    assert "weights_only" not in str(caught.value) and "False" not in str(caught.value)


def test_a_tensor_that_repeats_what_is_stored_is_refused(tmp_path, torch):
    path = tmp_path / "wide.pth"
    torch.save({"a": torch.ones(1).expand(10**9), "b": torch.ones(2)}, path)
    with pytest.raises(ValueError, match=r"wide\.pth: a has 4,000,000,000 bytes, and 4 are stored"):
        read_checkpoint(path)


def test_many_names_of_one_large_tensor_are_refused(tmp_path, torch):
    path = tmp_path / "many.pth"
    tensor = torch.ones(10**6)
    torch.save({str(i): tensor for i in range(100)}, path)
    with pytest.raises(ValueError, match=r"many\.pth: its tensors take 0.4 GB"):
        read_checkpoint(path)
