"""A real browser against the real app and worker. Skipped with a reason where no chromium is found."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from pld_core.backends.embedded import missing_part

ROOT = Path(__file__).resolve().parents[2]
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WAIT_MS = 60_000


@pytest.fixture(scope="session")
def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        if os.environ.get("PLD_REQUIRE_BROWSER") == "1":
            pytest.fail("No chromium on PATH, and PLD_REQUIRE_BROWSER=1 asks for one.")
        pytest.skip("no chromium on PATH; install Debian's package `chromium`")
    return found


@pytest.fixture(scope="session")
def embedded_student() -> None:
    """Skip where the parts of the embedded student are not installed."""
    if problem := missing_part():
        if os.environ.get("PLD_REQUIRE_STUDENT") == "1":
            pytest.fail(f"{problem} PLD_REQUIRE_STUDENT=1 asks for it.")
        pytest.skip(problem)


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """A browser for the tests of one file: while it is open, an event loop runs that other suites cannot have."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield opened
        opened.close()


@dataclass(frozen=True)
class Served:
    """A running `pld serve`."""

    url: str
    workspace: Path

    def pld(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command on the served workspace."""
        return subprocess.run(
            [sys.executable, "-m", "pld_app.cli", *arguments, "--workspace", str(self.workspace)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serve(workspace: Path, log: Path, ollama: str = "", port: int = 0) -> Iterator[Served]:
    """Start `pld serve` on a free port, or on the given one, wait until it answers, stop it at the end.

    `ollama` is the address of a test's own Ollama server; without it there is none.
    """
    port = port or free_port()
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PLD_", "OLLAMA_", "STREAMLIT_"))}
    environment["PLD_USER"] = "Ada Reviewer"
    # Nothing listens on a free port: the tests must not find an Ollama that happens to run on the machine.
    environment["PLD_OLLAMA_HOST"] = ollama or f"http://127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "pld_app.cli", "serve", "--workspace", str(workspace), "--port", str(port)]
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
        try:
            _wait_until_healthy(port, process, log)
            yield Served(f"http://127.0.0.1:{port}", workspace)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)


def _wait_until_healthy(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"pld serve ended: {log.read_text()}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1) as reply:
                if reply.read() == b"ok":
                    return
        except OSError:
            # Bounded by the deadline above.
            time.sleep(0.1)
    pytest.fail(f"pld serve did not answer: {log.read_text()}")


@pytest.fixture(scope="session")
def demo_workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the demo once; tests that change it copy it."""
    workspace = tmp_path_factory.mktemp("demo") / "workspace"
    command = [sys.executable, "-m", "pld_app.cli", "demo", "--workspace", str(workspace)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return workspace


@pytest.fixture
def served(demo_workspace: Path, tmp_path: Path) -> Iterator[Served]:
    workspace = tmp_path / "workspace"
    shutil.copytree(demo_workspace, workspace)
    yield from serve(workspace, tmp_path / "serve.log")


@pytest.fixture(scope="session")
def served_for_reading(demo_workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for all tests that change nothing in the workspace."""
    place = tmp_path_factory.mktemp("reading")
    shutil.copytree(demo_workspace, place / "workspace")
    yield from serve(place / "workspace", place / "serve.log")


@pytest.fixture
def served_empty(tmp_path: Path) -> Iterator[Served]:
    yield from serve(tmp_path / "empty", tmp_path / "serve.log")


class Visitor:
    """A person at the browser: goes to pages, presses keys, and notes every request that leaves the machine."""

    def __init__(self, page: Page, served: Served) -> None:
        self.page, self._served = page, served
        self.outside: list[str] = []
        self.page_errors: list[str] = []
        page.set_default_timeout(WAIT_MS)
        page.on("request", lambda request: self._note(request.url))
        page.on("pageerror", lambda error: self.page_errors.append(str(error)))

    def _note(self, url: str) -> None:
        if not url.startswith((self._served.url, self._served.url.replace("http", "ws"), "data:", "blob:")):
            self.outside.append(url)

    def go(self, path: str) -> None:
        self.page.goto(f"{self._served.url}/{path}")
        self.settle()

    def settle(self) -> None:
        """Wait until the script has run and the page has drawn it."""
        self.page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
        self.page.wait_for_function("document.querySelectorAll('[data-stale=true]').length === 0")

    def press(self, key: str) -> None:
        """Press a key of the review page, once its action bar is there and awake."""
        self.page.locator(".st-key-bar_edit button:enabled").wait_for()
        self.settle()
        self.page.keyboard.press(key)

    def click(self, key: str) -> None:
        """Click the button whose Streamlit key is `key`."""
        self.page.locator(f".st-key-{key} button").click()

    def panel_opens(self) -> None:
        self.page.get_by_role("dialog").wait_for()
        self.settle()

    def panel_closes(self) -> None:
        self.page.get_by_role("dialog").wait_for(state="detached")
        self.settle()

    def rule_in_address(self) -> str:
        return self.page.evaluate("new URL(location.href).searchParams.get('rule') || ''") or ""


@contextmanager
def visiting(browser: Browser, served: Served) -> Generator[Visitor]:
    """A visitor with a browser session of his own, on a small laptop's screen."""
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    try:
        yield Visitor(context.new_page(), served)
    finally:
        context.close()


@pytest.fixture
def visitor(browser: Browser, served: Served) -> Iterator[Visitor]:
    with visiting(browser, served) as opened:
        yield opened


@pytest.fixture
def reader(browser: Browser, served_for_reading: Served) -> Iterator[Visitor]:
    """A visitor who only looks."""
    with visiting(browser, served_for_reading) as opened:
        yield opened
