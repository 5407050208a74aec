"""Charts in a real browser: a click on a point leads to what is behind it, and axe finds nothing wrong around them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser

from tests.e2e.axe import faults
from tests.e2e.conftest import ROOT, Served, Visitor, serve, visiting

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

PLACE = """means => {
    const chart = [...document.querySelectorAll('.js-plotly-plot')].find(one => one.checkVisibility());
    for (const points of (chart && chart.calcdata) || []) {
        const trace = points[0].trace, data = trace.customdata || [];
        const at = Array.from(data).findIndex(one => JSON.stringify(Array.from(one)) === means);
        if (at < 0) continue;
        const axis = name => chart._fullLayout[name[0] + 'axis' + name.slice(1)];
        const x = axis(trace.xaxis), y = axis(trace.yaxis), point = points[at], box = chart.getBoundingClientRect();
        const middle = (axis, from, to) => (axis.c2p(from, true) + axis.c2p(to, true)) / 2;
        const [across, down] = trace.type === 'bar'
            ? [middle(x, point.s0, point.s1), middle(y, point.p0, point.p1)]
            : [x.c2p(trace.x[at], true) || x.c2p(point.x, true), y.c2p(trace.y[at], true) || y.c2p(point.y, true)];
        if (trace.type === 'bar' && point.s0 === point.s1) continue;
        return [box.left + x._offset + across, box.top + y._offset + down];
    }
    return null;
}"""
"""Where on the screen the point is that stands for this, in the first chart that is not folded away."""
CHART = ".js-plotly-plot:visible"
ERRORS = {
    "what no rule covers": ("Rules", [""], {"rule": "none"}),
    "a cell of rule and label": ("Rule × label", ["R1", "keep"], {"rule": "R1", "gold": "keep"}),
    "a cell of rule and confusion": (
        "Rule × confusion",
        ["R7", "hide from minors", "keep"],
        {"rule": "R7", "gold": "hide from minors", "said": "keep"},
    ),
    "a pair of rules": ("Overlap", ["R11", "", "", "R7"], {"rule": "R11", "other": "R7"}),
    "uncovered answers of a label": ("Coverage", ["", "keep"], {"rule": "none", "gold": "keep"}),
    "a point of support and harm": ("Support and harm", ["R1"], {"rule": "R1"}),
}


@pytest.fixture(scope="module")
def charted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    place = tmp_path_factory.mktemp("charted")
    # In a process of its own: beside an open browser an event loop runs, and compiling needs one.
    command = [sys.executable, "-m", "tests.charted", str(place / "workspace")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    yield from serve(place / "workspace", place / "serve.log")


@pytest.fixture(scope="module")
def analyst(browser: Browser, charted: Served) -> Iterator[Visitor]:
    """One browser session for all tests of this file."""
    with visiting(browser, charted) as opened:
        yield opened


def open_chart(analyst: Visitor, page: str, **address: str) -> None:
    analyst.go(f"{page}?{urlencode({'task': 'posts', **address})}")
    analyst.page.locator(CHART).first.wait_for()
    analyst.settle()


def click_point(analyst: Visitor, *means: str) -> None:
    """Click what stands for this in the first chart that is not folded away."""
    told = json.dumps(list(means), ensure_ascii=False, separators=(",", ":"))
    analyst.page.wait_for_function(PLACE, arg=told)
    analyst.page.locator(CHART).first.scroll_into_view_if_needed()
    x, y = analyst.page.evaluate(PLACE, told)
    # Plotly learns from the way of the mouse what lies under it.
    analyst.page.mouse.move(x - 3, y - 3)
    analyst.page.mouse.move(x, y, steps=3)
    analyst.page.mouse.click(x, y)


def wait_for_address(analyst: Visitor, expected: dict[str, str]) -> None:
    analyst.page.wait_for_function(
        """expected => { const found = new URL(location.href).searchParams;
            return Object.entries(expected).every(([name, value]) => found.get(name) === value) }""",
        arg=expected,
    )


def wait_for_choice(analyst: Visitor, key: str, value: str) -> None:
    """Wait until a list shows a value."""
    analyst.page.wait_for_function(
        """([key, value]) => { const list = document.querySelector('.st-key-' + key);
            return list && (list.innerText.includes(value)
                || [...list.querySelectorAll('input')].some(one => one.value === value)) }""",
        arg=[key, value],
    )


def test_three_clicks_lead_from_home_to_the_rule_behind_an_error(analyst: Visitor, charted: Served) -> None:
    # As the worker and `pld evaluate` do at the end of every run.
    done = charted.pld("attribute", "--run", "6")
    assert done.returncode == 0, done.stderr
    analyst.go("?task=posts")
    analyst.page.get_by_test_id("stSidebarNavLink").filter(has_text="Errors").click()
    analyst.page.locator(CHART).first.wait_for()
    analyst.settle()
    click_point(analyst, "R1")
    # The examples behind the bar stand there without another click, with what was said and what is right.
    analyst.page.get_by_text("Nearness to the rule's evidence").first.wait_for()
    analyst.page.get_by_text("said: ").first.wait_for()
    analyst.page.get_by_role("link", name="Open R1 on Review").click()
    analyst.page.locator(".st-key-rule_card").wait_for()
    assert analyst.rule_in_address() == "R1"


@pytest.mark.parametrize(("view", "means", "address"), ERRORS.values(), ids=ERRORS.keys())
def test_a_click_on_a_chart_of_errors(analyst: Visitor, view: str, means: list[str], address: dict[str, str]) -> None:
    open_chart(analyst, "errors", run="4", baseline="1", errors_view=view)
    click_point(analyst, *means)
    wait_for_address(analyst, address)


def test_a_click_on_a_rule_that_was_left_out(analyst: Visitor) -> None:
    open_chart(analyst, "errors", run="4", baseline="1", errors_method="By ablation")
    click_point(analyst, "R12")
    wait_for_address(analyst, {"rule": "R12"})


def test_a_click_on_a_cell_of_the_confusion_matrix(analyst: Visitor) -> None:
    open_chart(analyst, "evaluate", run_view="Confusion and wrong answers")
    click_point(analyst, "remove", "keep")
    wait_for_choice(analyst, "cell_gold_6", "remove")
    wait_for_choice(analyst, "cell_said_6", "keep")


def test_a_click_on_a_step_of_the_waterfall(analyst: Visitor) -> None:
    open_chart(analyst, "evaluate", run_view="Against another run")
    click_point(analyst, "broken", "remove")
    wait_for_choice(analyst, "change_outcome", "broken")
    wait_for_choice(analyst, "change_label", "remove")


def test_pages_with_charts_have_no_faults_of_access(analyst: Visitor) -> None:
    open_chart(analyst, "errors", run="4", baseline="1", rule="R1")
    assert faults(analyst.page) == []
    open_chart(analyst, "evaluate", run_view="Parts")
    assert faults(analyst.page) == []
