"""A page of our own as PDF, printed by a browser of the machine that runs without a window and without a network."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from pld_core.errors import InvalidInput

BROWSER_VARIABLE = "PLD_BROWSER"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
PATIENCE_S = 120
_ALONE = (
    *("--headless", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions"),
    *("--disable-background-networking", "--disable-sync", "--no-pdf-header-footer"),
    # No name is looked up and no address is reached, whatever the page or the browser would want.
    *("--host-resolver-rules=MAP * ~NOTFOUND", "--proxy-server=127.0.0.1:9"),
)


def find_browser(environment: Mapping[str, str]) -> str:
    """Return the browser that prints: the one that is set, else the first that is on the path.

    Raises:
        InvalidInput: there is none.
    """
    wanted = environment.get(BROWSER_VARIABLE, "").strip()
    names = (wanted,) if wanted else BROWSERS
    found = next((path for name in names if (path := shutil.which(name, path=environment.get("PATH")))), None)
    if found is None:
        tried = f"{BROWSER_VARIABLE} names {wanted}, which cannot be run" if wanted else "none is on the path"
        raise InvalidInput(
            f"A PDF is printed by Chromium or Chrome, and {tried}. Nothing was written. Install one, or set "
            f"{BROWSER_VARIABLE} to where it is; or write a .html file and print it to PDF from any browser."
        )
    return found


def pdf_of(page: str, environment: Mapping[str, str]) -> bytes:
    """Return a page of HTML as PDF.

    Raises:
        InvalidInput: there is no browser, or it does not print.
    """
    browser = find_browser(environment)
    with TemporaryDirectory(prefix="pld-print-", ignore_cleanup_errors=True) as folder:
        source, target = Path(folder, "report.html"), Path(folder, "report.pdf")
        source.write_text(page, encoding="utf-8")
        command = [browser, *_ALONE, *_sandbox(), f"--user-data-dir={folder}/profile", f"--print-to-pdf={target}"]
        try:
            ended = subprocess.run(  # noqa: S603 - a browser that was set or found, and options of ours
                [*command, source.as_uri()], capture_output=True, timeout=PATIENCE_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise _unprinted(browser, str(error)) from error
        if not target.is_file():
            raise _unprinted(browser, ended.stderr.decode("utf-8", "replace"))
        return target.read_bytes()


def _sandbox() -> tuple[str, ...]:
    # Chromium refuses to run as root with its sandbox. The page is ours and runs no script.
    return ("--no-sandbox",) if os.geteuid() == 0 else ()


def _unprinted(browser: str, said: str) -> InvalidInput:
    last = next((line.strip() for line in reversed(said.splitlines()) if line.strip()), "it said nothing")
    return InvalidInput(
        f"{browser} did not print the report: {last[:300]}. Nothing was written. Write a .html file instead and print "
        "it to PDF from any browser."
    )
