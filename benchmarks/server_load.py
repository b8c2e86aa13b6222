"""A real server with a SavedModel, and many clients that ask it at once; used by `benchmarks/serving.py`."""

import base64
import http.client
import json
import os
import shutil
import socket
import statistics
import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

KSERVE = Path(__file__).parents[1] / "tests" / "export" / "kserve_server.py"
SERVERS = ("kserve", "tfserving")
PATIENCE = 240  # seconds until the server must be up
PERCENTILES = (50, 90, 95, 99, 99.9)


class Served(NamedTuple):
    """A running server: its port, process and the name of its model."""

    port: int
    process: subprocess.Popen
    name: str


class Load(NamedTuple):
    """What the clients saw: seconds of each request, of all together, and answers that were not as alone."""

    seconds: list[float]
    wall: float
    differing: int
    largest: float


def command_of(server: str, version: Path, port: int) -> list[str]:
    """The command line that serves the folder of one version of a model.

    Raises:
        SystemExit: the server is not installed; the message says where it is looked for.
    """
    name = version.parent.name
    if server == "tfserving":
        binary = shutil.which("tensorflow_model_server")
        if binary is None:
            raise SystemExit("tfserving needs the program tensorflow_model_server on the PATH")
        return [
            binary,
            f"--rest_api_port={port}",
            f"--model_name={name}",
            f"--model_base_path={version.parent}",
        ]
    python = os.environ.get("KSERVE_PYTHON")
    if not python:
        raise SystemExit(
            "kserve needs KSERVE_PYTHON, the python of an environment in which 'pip install kserve "
            "tensorflow-cpu' was run"
        )
    return [python, str(KSERVE), str(version), name, str(port)]


@contextmanager
def running(server: str, version: Path) -> Iterator[Served]:
    """The server for the time of the context."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = command_of(server, version, port)
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    served = Served(port, process, version.parent.name)
    try:
        end = time.monotonic() + PATIENCE
        while not is_up(served):
            if process.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"the server did not come up: {' '.join(command)}")
            time.sleep(0.5)
        yield served
    finally:
        process.terminate()
        process.wait(30)


def is_up(served: Served) -> bool:
    """Whether the server answers and its model is ready, in the words of either server."""
    try:
        connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=5)
        connection.request("GET", f"/v1/models/{served.name}")
        said = json.loads(connection.getresponse().read())
    except (OSError, ValueError, http.client.HTTPException):
        return False
    states = [version["state"] for version in said.get("model_version_status", ())]
    return said.get("ready") in (True, "True") or "AVAILABLE" in states


def ask(connection: http.client.HTTPConnection, name: str, picture: bytes) -> dict[str, Any]:
    """The answer for one encoded picture.

    Raises:
        RuntimeError: the server answers with an error.
    """
    rows = [{"image_bytes": {"b64": base64.b64encode(picture).decode()}}]
    body = json.dumps({"signature_name": "serving_default", "instances": rows})
    connection.request("POST", f"/v1/models/{name}:predict", body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    said = response.read()
    if response.status != 200:
        raise RuntimeError(f"{response.status}: {said[:300]!r}")
    answer: dict[str, Any] = json.loads(said)["predictions"][0]
    return answer


def loaded(served: Served, pictures: Sequence[bytes], *, clients: int, requests: int) -> Load:
    """Asks from many clients at once, and compares each answer with that to the picture alone."""

    def connected() -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", served.port, timeout=PATIENCE)

    first = connected()
    alone = [ask(first, served.name, picture) for picture in pictures]

    def client(number: int) -> list[tuple[float, float]]:
        connection, seen = connected(), []
        for turn in range(number, requests, clients):
            which = turn * 7 % len(pictures)
            start = time.perf_counter()
            answer = ask(connection, served.name, pictures[which])
            seen.append((time.perf_counter() - start, difference(answer, alone[which])))
        return seen

    start = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        seen = [one for part in pool.map(client, range(clients)) for one in part]
    wall = time.perf_counter() - start
    seconds, differences = map(list, zip(*seen, strict=True))
    return Load(seconds, wall, sum(d > 0 for d in differences), max(differences))


def difference(answer: Any, other: Any) -> float:
    """The largest difference of two answers of one form; infinite if their forms differ."""
    if isinstance(answer, dict) and isinstance(other, dict) and answer.keys() == other.keys():
        return max((difference(answer[key], other[key]) for key in answer), default=0.0)
    if isinstance(answer, list) and isinstance(other, list) and len(answer) == len(other):
        return max((difference(*pair) for pair in zip(answer, other, strict=True)), default=0.0)
    if isinstance(answer, int | float) and isinstance(other, int | float):
        return float(abs(answer - other))
    return float("inf")


def percentiles(load: Load) -> str:
    """A markdown table of the latencies in milliseconds."""
    cuts = statistics.quantiles(load.seconds, n=1000, method="inclusive")
    values = [1000 * cuts[round(10 * p) - 1] for p in PERCENTILES] + [1000 * max(load.seconds)]
    head = " | ".join(f"p{p:g} ms" for p in PERCENTILES)
    row = " | ".join(f"{value:.1f}" for value in values)
    return (
        f"| requests | a second | {head} | max ms |\n|{'---:|' * (len(PERCENTILES) + 3)}\n"
        f"| {len(load.seconds)} | {len(load.seconds) / load.wall:.1f} | {row} |"
    )


def resident(process: int | str = "self") -> float:
    """Megabytes of memory that a process holds; 0 where the system does not say."""
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
