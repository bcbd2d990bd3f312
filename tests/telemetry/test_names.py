"""One table of names: what the program says, what the documentation shows, and sets that are written down twice."""

from __future__ import annotations

import ast
import functools
import json
import re
from pathlib import Path

import pytest

from reconciler.engine import Outcome
from reconciler.facets.registry import FACETS
from reconciler.plan.model import Action
from reconciler.telemetry import names
from reconciler.telemetry.names import ATTRIBUTES, LABELS, METRICS, SPANS, MetricKind
from tests.infra.bicep import INFRA

ROOT = Path(__file__).parents[2]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
HOW = {"count": MetricKind.COUNTER, "record": MetricKind.HISTOGRAM, "gauge": MetricKind.GAUGE}


@functools.cache
def _calls() -> list[tuple[str, ast.Call]]:
    """Calls whose first argument is a text: the name that is called, and the call."""
    trees = [ast.parse(path.read_text()) for path in sorted((ROOT / "reconciler").rglob("*.py"))]
    nodes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    named = [node for node in nodes if isinstance(node.func, ast.Attribute) and _text(node.args[0])]
    return [(node.func.attr, node) for node in named if isinstance(node.func, ast.Attribute)]


def _text(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def test_the_program_counts_what_the_table_says_and_all_of_it() -> None:
    """A metric without a row would have labels of any number; a row without a metric is a chart that stays empty."""
    said = {
        (_text(call.args[0]), HOW[how], tuple(sorted(each.arg or "" for each in call.keywords)))
        for how, call in _calls()
        if how in HOW and _text(call.args[0]).startswith("reconciler.")
    }

    assert said == {(metric.name, metric.kind, tuple(sorted(metric.labels))) for metric in METRICS}


def test_spans_have_the_names_of_the_table_and_all_of_them() -> None:
    assert {_text(call.args[0]) for how, call in _calls() if how == "span"} == set(SPANS)


def _said(node: ast.AST) -> list[str]:
    """Names of attributes in one place of the program: what is set, and keys of what a span begins with."""
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("set", "set_attribute")
    ):
        return [_text(node.args[0])] if node.args else []
    if isinstance(node, ast.Dict):
        return [_text(key) for key in node.keys if key is not None]
    return [_text(node.slice)] if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) else []


def test_spans_say_what_the_table_says_and_nothing_else() -> None:
    """Whatever a span may carry is looked at by a person who asks whether it may."""
    files = [path for path in sorted((ROOT / "reconciler").rglob("*.py")) if path.name != "names.py"]
    found = {name for path in files for node in ast.walk(ast.parse(path.read_text())) for name in _said(node)}

    assert {name for name in found if re.match(r"(reconciler|http|error|peer|url)\.", name)} == {
        *ATTRIBUTES,
        "url.full",
    }


def test_closed_sets_are_those_of_the_program() -> None:
    hosts = json.loads((INFRA / "names.json").read_text())
    worker = (ROOT / "reconciler" / "service" / "queue" / "worker.py").read_text()
    more = {"superseded", "postponed", "unknown", "busy", "later", "apart"}

    assert {outcome.value for outcome in Outcome} | more == names.RESULTS
    assert set(re.findall(r'Report\((?:spec\.)?key, "(\w+)"', worker)) == more
    assert len(FACETS) < names.MOST
    assert {action.value for action in Action} == names.ACTIONS
    assert set(hosts["httpFunctions"]) == names.FUNCTIONS
    assert set(hosts["queues"].values()) == names.QUEUES


def test_triggers_and_dropped_events_are_those_of_the_program() -> None:
    service = ROOT / "reconciler" / "service"
    source = "".join(path.read_text() for path in [*service.glob("events/*.py"), service / "triggers" / "messages.py"])

    assert {text for text in names.DROPPED if f'"{text}"' not in source} == set()
    triggers = (ROOT / "reconciler" / "service" / "queue" / "messages.py").read_text()
    assert set(re.findall(r"``([a-z-]+)``", triggers.partition("trigger: str")[2].partition("trace: str")[0])) == (
        names.TRIGGERS - {"unknown"}
    )


def test_every_label_has_a_set() -> None:
    assert {label for metric in METRICS for label in metric.labels} == set(LABELS)


def _rows(heading: str) -> list[list[str]]:
    section = OPERATIONS.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_the_documentation_has_the_table_of_metrics() -> None:
    documented = _rows("Metrics")

    assert documented == [
        [f"`{m.name}`", m.kind.value + (f", {m.unit}" if m.unit else ""), ", ".join(m.labels) or "—", m.meaning]
        for m in METRICS
    ]


@pytest.mark.parametrize(("heading", "table"), [("Spans", SPANS), ("Attributes", ATTRIBUTES)])
def test_the_documentation_has_the_table_of_spans(heading: str, table: dict[str, str]) -> None:
    assert _rows(heading) == [[f"`{name}`", meaning] for name, meaning in table.items()]
