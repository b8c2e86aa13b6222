"""Pages opened by a real browser, for the tests of what stands in `saved_models/`."""

import functools
import http.server
import json
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
PATIENCE = 120  # seconds that the browser may take
FOLDER = Path(__file__).parents[1] / "saved_models" / "browser"


def find_browser() -> str:
    """The command of Chromium; skips the test where there is none."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("no Chromium: apt-get install chromium-headless-shell, or set CHROMIUM to its path")
    return found


def find_modules() -> Path:
    """The folder of npm packages with LiteRT.js; skips the test where there is none."""
    found = Path(os.environ.get("LITERTJS_MODULES", FOLDER / "node_modules"))
    if not (found / "@litertjs" / "core").is_dir():
        pytest.skip(
            "no @litertjs/core: type `npm install` in saved_models/browser, or set LITERTJS_MODULES to a "
            "folder node_modules that has it"
        )
    return found


class Site:
    """A folder that a browser opens pages of.

    Args:
        address: of the folder.
        reports: what the page posted is put there.
    """

    def __init__(self, address: str, reports: dict[str, Any], arrived: threading.Event):
        self.address, self.reports, self.arrived = address, reports, arrived

    def report_of(self, page: str, *options: str) -> Any:
        """Opens a page and returns the json that it posts.

        Args:
            page: relative to the folder, with its query.
            options: of Chromium.
        """
        browser = find_browser()
        self.arrived.clear()
        always = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0"]
        # A group of its own: Debian's command is a script, and ending that would leave the browser.
        process = subprocess.Popen(
            [browser, *always, *options, f"{self.address}/{page}"],
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            assert self.arrived.wait(PATIENCE), "the page reported nothing"
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        return self.reports["last"]


@contextmanager
def serve(folder: Path) -> Iterator[Site]:
    """Serves a folder on this machine."""
    reports: dict[str, Any] = {}
    arrived = threading.Event()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_POST(self) -> None:
            reports["last"] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()
            arrived.set()

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield Site(f"http://127.0.0.1:{server.server_port}", reports, arrived)
    finally:
        server.shutdown()
        server.server_close()
