"""What may import what, where the loose files are not packages that import-linter could see."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = ("pld_core", "pld_app", "storage")
PACKAGES = [path for name in OURS for path in sorted((ROOT / name).rglob("*.py"))]
LOOSE = [path for path in [ROOT / "app.py", *sorted((ROOT / "pages").glob("*.py"))] if path.exists()]
SOURCES = PACKAGES + LOOSE
PURE = [path for path in sorted((ROOT / "pld_core").rglob("*.py")) if "backends" not in path.parts]
# Put together, so that this file does not find itself.
MACHINE_PATH = re.compile(r"""["'\s=(](/(?:home|root|work|Users|tmp|mnt|var|opt)/\w+|[A-Z]:\\\\?\w)""")


def place(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(nodes: Iterator[ast.AST]) -> set[str]:
    """Return the dotted names of the imported modules, and of what is taken from them."""
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def within(names: set[str], *modules: str) -> set[str]:
    return {name for name in names for module in modules if name == module or name.startswith(module + ".")}


def dotted(path: Path) -> set[str]:
    """Return every attribute chain of a file, such as `asyncio.run`."""
    return {ast.unparse(node) for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute)}


def test_the_checks_below_have_files_to_look_at() -> None:
    assert len(PACKAGES) > 20
    assert {"pld_core/review.py", "storage/rules.py", "pld_app/wiring.py"} <= {place(path) for path in SOURCES}


@pytest.mark.parametrize("path", LOOSE, ids=place)
def test_pages_reach_the_store_and_the_models_through_pld_app_only(path: Path) -> None:
    assert within(imported(ast.walk(tree(path))), "storage", "sqlite_utils", "sqlite3", "pld_core.backends") == set()


@pytest.mark.parametrize("path", LOOSE, ids=place)
def test_a_page_is_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 120


@pytest.mark.parametrize("path", [*SOURCES, *sorted((ROOT / "tests").rglob("*.py"))], ids=place)
def test_no_import_of_ours_stands_inside_a_function(path: Path) -> None:
    inside = {
        name
        for function in ast.walk(tree(path))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for name in within(imported(ast.walk(function)), *OURS)
    }
    assert inside == set()


def test_there_is_one_place_that_runs_the_event_loop() -> None:
    users = {place(path) for path in SOURCES if "asyncio.run" in dotted(path)}
    assert users == {"pld_app/wiring.py"}
    taken = {place(path) for path in SOURCES if "asyncio.run" in imported(ast.walk(tree(path)))}
    assert taken == set()


@pytest.mark.parametrize("path", sorted((ROOT / "pld_app").glob("cli*.py")), ids=place)
def test_the_command_line_starts_without_streamlit(path: Path) -> None:
    assert within(imported(ast.walk(tree(path))), "streamlit", "pld_app.session", "pld_app.components") == set()


def test_one_package_touches_the_state_and_the_address_of_a_session() -> None:
    users = {path.parent for path in SOURCES if {"st.session_state", "st.query_params"} & dotted(path)}
    assert users == {ROOT / "pld_app/session"}


@pytest.mark.parametrize("path", PURE, ids=place)
def test_the_core_looks_at_no_clock_no_environment_and_draws_no_unseeded_lots(path: Path) -> None:
    used = dotted(path) | imported(ast.walk(tree(path)))
    forbidden = {"datetime.now", "datetime.datetime.now", "datetime.utcnow", "time.time", "time.time_ns"}
    forbidden |= {"os.environ", "os.getenv", "uuid.uuid4", "random.random", "secrets"}
    assert used & forbidden == set()


@pytest.mark.parametrize("path", PURE, ids=place)
def test_the_core_knows_no_page_no_command_no_server_and_no_database(path: Path) -> None:
    wanted = imported(ast.walk(tree(path)))
    assert within(wanted, "streamlit", "click", "httpx", "ollama", "openai", "sqlite3", "sqlite_utils") == set()
    allowed = {"pld_core.backends.scripted", "pld_core.backends.scripted_repairs"} if "demo" in path.parts else set()
    others = {name for name in within(wanted, "pld_core.backends") if not within({name}, *allowed)}
    assert others == set()
    assert within(wanted, "storage", "pld_app") == set()


@pytest.mark.parametrize("path", [p for p in SOURCES if "storage" not in p.parts], ids=place)
def test_sql_lives_in_storage_only(path: Path) -> None:
    assert within(imported(ast.walk(tree(path))), "sqlite3", "sqlite_utils") == set()


@pytest.mark.parametrize("path", SOURCES, ids=place)
def test_no_path_of_a_machine_is_written_down(path: Path) -> None:
    assert MACHINE_PATH.search(path.read_text(encoding="utf-8")) is None


@pytest.mark.parametrize("path", [p for p in PURE if p.name in ("models.py", "errors.py", "canonical.py")], ids=place)
def test_models_and_errors_rest_on_the_standard_library(path: Path) -> None:
    wanted = {name.split(".")[0] for name in imported(ast.walk(tree(path)))}
    assert wanted <= {
        "__future__",
        "dataclasses",
        "enum",
        "functools",
        "typing",
        "hashlib",
        "json",
        "collections",
        "pld_core",
    }
