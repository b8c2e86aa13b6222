"""Models as folders: written, opened, checked; from a stand-in for huggingface.co too."""

import functools
import hashlib
import http.server
import json
import re
import threading

import exportable
import numpy as np
import pytest

import keras_cornernet as kc
from keras_cornernet import files, presets
from keras_cornernet.presets.folders import CARD, CONFIG, WEIGHTS, Address
from keras_cornernet.structures import DataSource, Provenance
from keras_cornernet.tasks import load_model, task_of

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="module")
def model():
    made = exportable.detector()
    made.provenance = Provenance((DataSource("pets", "CC BY 4.0", 120),))
    return made


@pytest.fixture
def folder(model, tmp_path):
    return model.save_to_preset(tmp_path / "pets")


def same(first, second) -> bool:
    pairs = zip(first.network.weights, second.network.weights, strict=True)
    return all(np.array_equal(a.numpy(), b.numpy()) for a, b in pairs)


def test_a_folder_has_card_settings_and_weights_and_opens_again(model, folder):
    assert sorted(path.name for path in folder.iterdir()) == sorted([CARD, CONFIG, WEIGHTS])
    opened = kc.from_preset(folder)
    assert same(opened, model)
    assert opened.categories.names == ("cat", "dog")
    assert opened.settings == model.settings
    assert same(load_model(str(folder)), model)
    assert task_of(folder).name == "detection"


def test_settings_say_what_is_in_it(folder):
    config = json.loads((folder / CONFIG).read_text())
    assert config["names"] == ["cat", "dog"]
    assert (config["task"], config["network"], config["input_size"]) == ("detection", "CornerNet", [32, 48])
    assert config["weights"] == {"file": WEIGHTS, "sha256": files.sha256_of(folder / WEIGHTS)}


def test_the_card_has_the_terms_and_is_not_overwritten(model, folder):
    text = (folder / CARD).read_text()
    assert text.startswith('---\nlibrary_name: "keras_cornernet"\npipeline_tag: "object-detection"\n')
    assert "| pets | CC BY 4.0 | 120 |" in text
    (folder / CARD).write_text("mine")
    model.save_to_preset(folder)
    assert (folder / CARD).read_text() == "mine"


def test_a_pose_network_too(tmp_path):
    made = exportable.estimator()
    opened = kc.from_preset(made.save_to_preset(tmp_path / "face"))
    assert same(opened, made)
    assert opened.skeleton == made.skeleton


def test_other_weights_than_the_settings_promise_are_refused(folder):
    content = bytearray((folder / WEIGHTS).read_bytes())
    content[-100] ^= 1
    (folder / WEIGHTS).write_bytes(content)
    with pytest.raises(
        ValueError, match=r"model\.keras: has the SHA-256 .*config\.json promises .*not opened"
    ):
        kc.from_preset(folder)


def test_a_hash_in_the_name_is_checked(model, folder):
    right = files.sha256_of(folder / WEIGHTS)
    assert same(kc.from_preset(f"{folder}#sha256={right.upper()}"), model)
    assert same(kc.from_preset(f"{folder / WEIGHTS}#sha256={right}"), model)
    for place in (folder, folder / WEIGHTS):
        with pytest.raises(ValueError, match="its name promises 0000"):
            kc.from_preset(f"{place}#sha256={'0' * 64}")


@pytest.mark.parametrize("digits", ["", "12", "g" * 64, "0" * 65])
def test_a_hash_that_is_none(digits):
    with pytest.raises(ValueError, match="64 hexadecimal digits"):
        Address.of(f"pets#sha256={digits}")


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({}, "not of a folder that save_to_preset wrote"),
        ([], "not of a folder that save_to_preset wrote"),
        ({"weights": {"file": "../secret.keras", "sha256": "0" * 64}}, "not of a folder"),
        ({"weights": {"file": WEIGHTS}}, "states no SHA-256"),
        ({"weights": {"file": WEIGHTS, "sha256": 3}}, "states no SHA-256"),
    ],
)
def test_damaged_settings_are_named(folder, config, words):
    (folder / CONFIG).write_text(json.dumps(config))
    with pytest.raises(ValueError, match=words):
        kc.from_preset(folder)


def test_a_folder_without_weights_and_a_file_in_place_of_one(model, folder):
    (folder / WEIGHTS).unlink()
    with pytest.raises(ValueError, match="there is no model.keras"):
        kc.from_preset(folder)
    with pytest.raises(ValueError, match="is a file"):
        model.save_to_preset(folder / CONFIG)


def test_what_a_run_starts_from_is_the_file_in_the_folder(folder):
    assert presets.weights_file(folder) == folder / WEIGHTS
    assert presets.weights_file("cornernet_small") is None
    assert presets.weights_file("cornernet_people").name == "cornernet_people.keras"


class Hub(http.server.BaseHTTPRequestHandler):
    """huggingface.co with one model, `me/pets`, of one version, `v1`."""

    protocol_version = "HTTP/1.1"
    content: dict[str, bytes]

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        path = self.path.partition("?")[0]
        if re.fullmatch(r"/api/models/me/pets/revision/(main|v1)", path):
            siblings = [{"rfilename": name} for name in self.content]
            return self.answer(json.dumps({"id": "me/pets", "sha": COMMIT, "siblings": siblings}).encode())
        if re.match(rf"/api/models/me/pets/tree/(main|v1|{COMMIT})", path):
            rows = [
                {"type": "file", "path": n, "size": len(c), "oid": sha1(c)} for n, c in self.content.items()
            ]
            return self.answer(json.dumps(rows).encode())
        found = re.fullmatch(rf"/me/pets/resolve/(main|v1|{COMMIT})/(.+)", path)
        if found and found[2] in self.content:
            return self.answer(self.content[found[2]])
        return self.answer(b"", 404, {"X-Error-Code": "RepoNotFound"})

    def answer(self, content, status=200, headers=()):
        self.send_response(status)
        etag = f'"{sha1(content)}"'
        for key, value in {"X-Repo-Commit": COMMIT, "ETag": etag, **dict(headers)}.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, *_):
        pass


def sha1(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()


@pytest.fixture
def hub(folder, tmp_path, monkeypatch):
    """A server on this machine that holds `folder`; its content can be changed."""
    library = pytest.importorskip("huggingface_hub", reason="needs the extra hub")
    content = {path.name: path.read_bytes() for path in folder.iterdir()} | {"more.bin": b"not wanted"}
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Hub", (Hub,), {"content": content}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    options = {"endpoint": f"http://127.0.0.1:{server.server_port}", "cache_dir": tmp_path / "cache"}
    monkeypatch.setattr(library, "snapshot_download", functools.partial(library.snapshot_download, **options))
    yield content
    server.shutdown()
    server.server_close()


def test_a_model_of_the_hub(hub, model, tmp_path):
    assert same(kc.from_preset("hf://me/pets"), model)
    assert same(kc.from_preset("hf://me/pets@v1"), model)
    assert same(load_model("hf://me/pets@v1"), model)
    kept = {path.name for path in (tmp_path / "cache").rglob("*") if path.is_symlink() or path.is_file()}
    assert "more.bin" not in kept and WEIGHTS in kept


def test_weights_that_were_exchanged_on_the_hub_are_refused(hub, folder):
    right = files.sha256_of(folder / WEIGHTS)
    other = exportable.point_detector().save_to_preset(folder.parent / "other")
    hub.update({name: (other / name).read_bytes() for name in (WEIGHTS, CONFIG)})
    with pytest.raises(ValueError, match=f"its name promises {right}"):
        kc.from_preset(f"hf://me/pets#sha256={right}")


def test_a_model_that_is_not_there(hub):
    with pytest.raises(OSError, match="hf://me/cats: "):
        kc.from_preset("hf://me/cats")


@pytest.mark.parametrize("address", ["hf://pets", "hf://me/pets/more", "hf://me/../pets", "hf://"])
def test_no_address_of_a_model(address):
    with pytest.raises(ValueError, match="expected hf://OWNER/NAME"):
        kc.from_preset(address)


def test_without_the_extra_the_message_says_what_to_type(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "huggingface_hub", None)
    with pytest.raises(ImportError, match=r"pip install 'keras_cornernet\[hub\]'"):
        kc.from_preset("hf://me/pets")
