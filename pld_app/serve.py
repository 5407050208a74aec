"""`pld serve`: the app and its worker as two child processes, watched until the person stops them."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from pld_app.acting import refuse_open_address
from pld_app.settings import Settings
from pld_core.errors import AddressInUse, InvalidInput, PldError

ROOT = Path(__file__).resolve().parent.parent
HEALTH = "/_stcore/health"
START_S = 60.0
RESTART_PAUSE_S = 2.0
STDERR = 2
WORKER_COMMAND = [sys.executable, "-m", "pld_app.cli", "worker"]


def address_of(host: str, port: int) -> str:
    """Return the address as a browser wants it."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def check_port(host: str, port: int) -> None:
    """Raise `AddressInUse` if something already listens at the address."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        # Without it a port that was closed a moment ago still counts as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
                raise InvalidInput(f"{host!r} is not an address of this machine. Nothing was started.") from error
            if error.errno == errno.EACCES:
                raise InvalidInput(f"Port {port} may not be used by this user. Nothing was started.") from error
            raise AddressInUse(
                f"Port {port} on {host} is already in use, perhaps by pld-review itself: look at "
                f"{address_of(host, port)}. Nothing was started or changed. "
                "Choose another port with PLD_PORT or --port."
            ) from error


def serve(settings: Settings, say: Callable[[str], None]) -> None:
    """Run the app and its worker until interrupted; a worker that dies is started again.

    Raises:
        InvalidInput: others could reach it, and no sign-in is configured; nothing was started.
        AddressInUse: the port is taken; nothing was started.
        PldError: the app did not come up, or ended by itself.
    """
    refuse_open_address(settings)
    check_port(settings.host, settings.port)
    environment = {
        # Threads of numeric libraries that wait by spinning take the processor from the app, worker and student beside
        # them; a clustering then takes many times as long.
        "OMP_WAIT_POLICY": "PASSIVE",
        **os.environ,
        "PLD_WORKSPACE": str(settings.workspace),
        "PYTHONPATH": _python_path(),
    }
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    app = _start(_app_command(settings), environment)
    worker = _start(WORKER_COMMAND, environment)
    try:
        _wait_until_healthy(settings, app, stop)
        if not stop.is_set():
            say(f"pld-review is ready: {address_of(settings.host, settings.port)}")
            say(f"Workspace: {settings.workspace}. Stop with Ctrl+C; nothing decided is lost.")
        while not stop.wait(0.5):
            if app.poll() is not None:
                raise PldError(f"The app ended by itself with exit code {app.returncode}. The lines above say why.")
            if worker.poll() is not None:
                say(f"The worker ended with exit code {worker.returncode}; starting it again. Jobs continue.")
                stop.wait(RESTART_PAUSE_S)
                worker = _start(WORKER_COMMAND, environment)
    finally:
        for child in (app, worker):
            child.terminate()
        for child in (app, worker):
            _reap(child)


def _python_path() -> str:
    return os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))


def _app_command(settings: Settings) -> list[str]:
    return [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(ROOT / "pld_app" / "server.py"),
        f"--server.address={settings.host}",
        f"--server.port={settings.port}",
        # The one place: otherwise Streamlit would look through folders that we did not look at.
        f"--secrets.files={settings.secrets_file}",
    ]


def _start(command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    # What a child says goes to stderr: stdout is ours, and with --json it is one JSON value.
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=STDERR)  # noqa: S603 - our own commands


def _wait_until_healthy(settings: Settings, app: subprocess.Popen[bytes], stop: threading.Event) -> None:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - compared
    address = address_of(host, settings.port) + HEALTH
    # A proxy from the environment does not know the way to this very machine.
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and not stop.wait(0.2):
        if app.poll() is not None:
            raise PldError(f"The app did not start (exit code {app.returncode}). The lines above say why.")
        try:
            with direct.open(address, timeout=2) as reply:
                if reply.read() == b"ok":
                    return
        except OSError:
            continue
    if not stop.is_set():
        raise PldError(f"The app did not answer within {START_S:.0f} seconds. Nothing is lost; try again.")


def _reap(child: subprocess.Popen[bytes]) -> None:
    try:
        child.wait(timeout=10)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
