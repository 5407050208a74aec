"""A button whose arguments come from fields asks whether they are as they were drawn; read from the sources."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.core.test_architecture import ROOT, tree

FIELDS = {
    *("checkbox", "toggle", "radio", "segmented_control", "pills", "multiselect", "selectbox", "slider"),
    *("number_input", "text_input", "text_area", "date_input", "file_uploader", "data_editor"),
    *("widget", "number", "ticked", "chosen", "picked", "text_or"),
}
"""What Streamlit and our session call the ways to ask for an entry."""
LOOKED_AT = {"task", "dossier"}
"""What a page is about is chosen, too; but a decision names its revision, and is refused if that moved on."""
DRAWN = [*sorted((ROOT / "pld_app/components").rglob("*.py")), *sorted((ROOT / "pages").glob("*.py"))]
Function = tuple[Path, str]


def called(node: ast.Call) -> str:
    return ast.unparse(node.func).rpartition(".")[2]


def names(node: ast.AST) -> set[str]:
    return {found.id for found in ast.walk(node) if isinstance(found, ast.Name)}


class Forms:
    """Which names hold what fields hold, followed through assignments and calls."""

    def __init__(self, paths: list[Path]) -> None:
        self.functions: dict[Function, ast.FunctionDef] = {
            (path, node.name): node
            for path in paths
            for node in ast.walk(tree(path))
            if isinstance(node, ast.FunctionDef)
        }
        self.entries: dict[Function, set[str]] = {function: set() for function in self.functions}
        while self._follow():
            pass

    def _follow(self) -> bool:
        before = sum(map(len, self.entries.values()))
        for function, node in self.functions.items():
            for part in ast.walk(node):
                if isinstance(part, ast.Assign | ast.AnnAssign) and part.value and self._is_entry(function, part.value):
                    targets = part.targets if isinstance(part, ast.Assign) else [part.target]
                    self.entries[function] |= {name for one in targets for name in names(one)} - LOOKED_AT
                if isinstance(part, ast.Call):
                    self._hand_on(function, part)
        return sum(map(len, self.entries.values())) > before

    def _is_entry(self, function: Function, value: ast.AST) -> bool:
        calls = {called(part) for part in ast.walk(value) if isinstance(part, ast.Call)}
        draws = any(name.lstrip("_").startswith("draw_") for name in calls)
        return draws or bool(calls & FIELDS or names(value) & self.entries[function])

    def _hand_on(self, function: Function, call: ast.Call) -> None:
        name = called(call)
        for path, other in self.functions:
            if other == name and (path == function[0] or not name.startswith("_")):
                parameters = self.functions[path, other].args.args
                for parameter, given in zip(parameters, call.args, strict=False):
                    if parameter.arg not in LOOKED_AT and self._is_entry(function, given):
                        self.entries[path, other].add(parameter.arg)

    def unasked(self) -> Iterator[str]:
        """Yield each button with an argument from a field that neither its key names nor its press asks about."""
        for (path, name), node in self.functions.items():
            for part in ast.walk(node):
                if isinstance(part, ast.Call):
                    told = {keyword.arg: keyword.value for keyword in part.keywords}
                    if {"on_click", "args"} <= set(told) and not ast.unparse(told["on_click"]).startswith("session."):
                        from_fields = names(told["args"]) & self.entries[path, name]
                        if from_fields - (names(told["key"]) if "key" in told else set()):
                            yield f"{path.name}: {name}, {ast.unparse(told['args'])}"


def test_a_form_that_does_not_ask_is_found(tmp_path: Path) -> None:
    path = tmp_path / "form.py"
    path.write_text(
        "def draw(task):\n"
        "    _draw_button(Order(task, _draw_rounds()))\n"
        "def _draw_rounds():\n"
        "    return st.number_input('Rounds', key='rounds')\n"
        "def _draw_button(order):\n"
        "    st.button('Start', key='start', on_click=start, args=(order,))\n"
        "    st.button('Stop', key='stop', on_click=stop, args=(1,))\n"
        "    st.button('Go on', key='go_on', **session.as_shown('rounds', start, order))\n",
        encoding="utf-8",
    )
    assert list(Forms([path]).unasked()) == ["form.py: _draw_button, (order,)"]


def test_an_order_made_of_fields_is_carried_out_as_it_was_shown() -> None:
    assert list(Forms(DRAWN).unasked()) == []
