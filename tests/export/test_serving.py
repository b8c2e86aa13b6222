"""An exported detector, behind a real HTTP server of TensorFlow Serving's REST protocol.

TensorFlow Serving itself is in no package index; KServe speaks its protocol. It wants packages of its own:

    python -m venv kserve && kserve/bin/pip install kserve tensorflow-cpu
    KSERVE_PYTHON=kserve/bin/python python -m pytest -m slow tests/export/test_serving.py
"""

import base64
import json
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from exportable import encoded

from keras_cornernet import export
from keras_cornernet.data.scenes import draw_scene
from keras_cornernet.presets import from_preset

pytestmark = pytest.mark.slow
PAGE = Path(__file__).parents[2] / "docs" / "server.md"
PATIENCE = 240  # seconds until the server must be up


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The folder of the SavedModel of `cornernet_people`."""
    return export.to_saved_model(
        from_preset("cornernet_people"), tmp_path_factory.mktemp("models"), "people"
    ).path


@pytest.fixture(scope="module")
def server(request):
    """The address of a server that runs for the tests of this file."""
    python = os.environ.get("KSERVE_PYTHON")
    if not python:
        pytest.skip("KSERVE_PYTHON is not set: it names the python of an environment with kserve, see above")
    model = request.getfixturevalue("model")  # not an argument: a skipped test must not wait for it
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = Path(__file__).with_name("kserve_server.py")
    process = subprocess.Popen([python, script, model, "people", str(port)], stdin=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}/v1/models/people"
    try:
        end = time.monotonic() + PATIENCE
        while not _is_up(address):
            assert process.poll() is None, "the server ended"
            assert time.monotonic() < end, "the server did not come up"
            time.sleep(0.5)
        yield address
    finally:
        process.terminate()
        process.wait(30)


def _is_up(address) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return json.loads(answer.read())["ready"] in (True, "True")
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def ask(address, *images):
    rows = [{"image_bytes": {"b64": base64.b64encode(image).decode()}} for image in images]
    body = json.dumps({"signature_name": "serving_default", "instances": rows}).encode()
    asked = urllib.request.Request(f"{address}:predict", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
        return json.loads(answer.read())["predictions"]


def test_images_of_two_sizes_in_one_request_are_answered_as_in_python(server, model):
    images = [draw_scene(seed, size, max_people=3)[0] for seed, size in ((1, (240, 320)), (2, (200, 300)))]
    answers = ask(server, *[encoded(image) for image in images])
    exported = export.load(model)
    assert len(answers) == 2
    for image, answer in zip(images, answers, strict=True):
        expected = exported.predict(image, min_score=0)[0]
        count = answer["num_detections"]
        assert count == len(expected.boxes) > 0
        assert len(answer["boxes"]) == len(answer["scores"]) >= count
        np.testing.assert_allclose(answer["boxes"][:count], expected.boxes, atol=0.02)
        np.testing.assert_allclose(answer["scores"][:count], expected.scores, atol=1e-4)


def test_a_broken_file_is_an_error_that_names_its_place(server):
    with pytest.raises(urllib.error.HTTPError) as told:
        ask(server, encoded(np.zeros((9, 9, 3), np.uint8)), b"not an image")
    assert told.value.code >= 400
    assert "at index" in told.value.read().decode()


def requests_of_page(language) -> list[str]:
    """The blocks of the page about servers that ask one."""
    pattern = rf"^<!-- run with a server -->\n^```{language}\n(.*?)^```"
    return re.findall(pattern, PAGE.read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture
def at_photo(tmp_path, monkeypatch):
    """Changes into a folder with the photo that the page sends."""
    image = draw_scene(1, (240, 320), max_people=3)[0]
    (tmp_path / "photo.jpg").write_bytes(encoded(image, "JPEG"))
    monkeypatch.chdir(tmp_path)


def test_the_request_of_the_page_in_python(server, at_photo, capsys):
    (code,) = requests_of_page("python")
    assert "http://localhost:8501/v1/models/people" in code
    exec(code.replace("http://localhost:8501/v1/models/people", server), {})
    lines = capsys.readouterr().out.splitlines()
    assert lines and all(re.fullmatch(r"[01] [01]\.\d+ \[-?\d+, -?\d+, \d+, \d+\]", line) for line in lines)


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("base64")), reason="needs curl and base64")
def test_the_request_of_the_page_with_curl(server, at_photo):
    (code,) = requests_of_page("bash")
    code = code.replace("http://localhost:8501/v1/models/people", server)
    run = subprocess.run(["bash", "-ec", code], capture_output=True, text=True, check=True, timeout=PATIENCE)
    (answer,) = json.loads(run.stdout)["predictions"]
    assert answer["num_detections"] > 0
