"""Alerts and workbook ask for what the program says: names of metrics, events, fields, outcomes, reasons, functions.

A query for a name that is never written is an alert that never rings. The names of the program are read from its
source, where they are written.
"""

from __future__ import annotations

import ast
import functools
import json
import re
from typing import Any

import pytest

from reconciler.engine.result import Outcome
from reconciler.engine.status import REASONS
from reconciler.errors import ReconcilerError, Terminal, Transient
from reconciler.telemetry.names import LABELS, METRICS, Metric, MetricKind
from tests.infra.bicep import INFRA

ROOT = INFRA.parent
RULES: list[dict[str, Any]] = json.loads((INFRA / "alerts.json").read_text())["rules"]
WORKBOOK: dict[str, Any] = json.loads((INFRA / "workbook.json").read_text())
QUERIES = [rule["query"] for rule in RULES] + [
    item["content"]["query"] for item in WORKBOOK["items"] if item["content"].get("query")
]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
BASES = {ReconcilerError.__name__, Transient.__name__, Terminal.__name__}


@functools.cache
def _calls() -> list[tuple[str, ast.Call, str]]:
    found = []
    for path in sorted((ROOT / "reconciler").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                found.append((name, node, path.name))
    return found


def metrics() -> dict[str, Metric]:
    """Every metric that the program writes, by name: `tests/telemetry/test_names.py` compares the table with its source."""
    return {metric.name: metric for metric in METRICS}


COLUMNS = {
    MetricKind.COUNTER: {"valueSum"},
    MetricKind.HISTOGRAM: {"valueSum", "valueCount", "valueMin", "valueMax"},
    MetricKind.GAUGE: {"value"},
}
"""Columns of `customMetrics` that say something of each kind; what the exporter fills is tried against it in
`tests/telemetry/test_application_insights.py`."""


@functools.cache
def events() -> dict[str, set[str]]:
    """Name of every event that the program logs → its fields."""
    found: dict[str, set[str]] = {}
    for name, call, file in _calls():
        if name != "event" or file not in ("logs.py", "messages.py", "rates.py", "timers.py", "web.py", "owned.py"):
            continue
        fields = {each.arg for each in call.keywords if each.arg}
        found.setdefault(str(getattr(call.args[0], "value", "")), set()).update(fields)
    found["run"] |= _fields_of_a_run()
    return found


def _fields_of_a_run() -> set[str]:
    tree = ast.parse((ROOT / "reconciler" / "service" / "triggers" / "logs.py").read_text())
    (function,) = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "run"]
    keys = [key for node in ast.walk(function) if isinstance(node, ast.Dict) for key in node.keys]
    return {str(key.value) for key in keys if isinstance(key, ast.Constant)}


def problems(query: str) -> list[str]:
    """Names in a query that the program does not write."""
    known, named = events(), set(re.findall(r'event\.event\) (?:==|in) \(?((?:"\w+",? ?)+)', query))
    asked = {name for group in named for name in re.findall(r"\w+", group)}
    found = [f"no event {name}" for name in sorted(asked - set(known))]
    fields = set().union(*(known.get(name, set()) for name in asked)) if asked else set()
    found += [f"no field {name}" for name in sorted(set(re.findall(r"event\.(\w+)", query)) - fields - {"event"})]
    found += [f"no metric {name}" for name in re.findall(r'"(reconciler\.[\w.]+)"', query) if name not in metrics()]
    outcomes = re.findall(r'event\.outcome\) (?:==|in) \(?((?:"[\w-]+",? ?)+)', query)
    words = {word for group in outcomes for word in re.findall(r"[\w-]+", group)}
    found += [f"no outcome {word}" for word in sorted(words - {outcome.value for outcome in Outcome})]
    reasons = set(re.findall(r'reason\) == "(\w+)"', query))
    found += [f"no reason {word}" for word in sorted(reasons - REASONS)]
    functions = {word for group in re.findall(r" name in \(([^)]*)\)", query) for word in re.findall(r'"(\w+)"', group)}
    found += [f"no function {word}" for word in sorted(functions - _functions())]
    return found + _measured(query)


def _measured(query: str) -> list[str]:
    """What a query asks of metrics: labels, their values, and columns."""
    asked = [metrics()[name] for name in set(re.findall(r'"(reconciler\.[\w.]+)"', query)) if name in metrics()]
    if not asked:
        return []
    having = {label for metric in asked for label in metric.labels}
    labels = set(re.findall(r"customDimensions\.(\w+)", query))
    found = [f"no label {label}" for label in sorted(labels - having)]
    for label, values in re.findall(r'customDimensions\.(\w+)\) (?:==|in) \(?((?:"[^"]+"(?:, )?)+)', query):
        known = LABELS.get(label) or frozenset()
        found += [f"no {label} {value}" for value in re.findall(r'"([^"]+)"', values) if value not in known]
    columns = {column for metric in asked for column in COLUMNS[metric.kind]}
    return found + [f"no column {name}" for name in sorted(set(re.findall(r"\bvalue\w*", query)) - columns)]


def _functions() -> set[str]:
    return set(re.findall(r'function_name\("(\w+)"\)', (ROOT / "function_app.py").read_text()))


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_asks_for_what_the_program_writes(query: str) -> None:
    assert problems(query) == []


@pytest.mark.parametrize(
    ("query", "what"),
    [
        ('traces | where tostring(event.event) == "swept"', "no event swept"),
        ('where tostring(event.event) == "run" and event.pol == 1', "no field pol"),
        ('where tostring(event.event) == "run" and tostring(event.outcome) == "fine"', "no outcome fine"),
        ('where tostring(event.event) == "run" and tostring(event.reason) == "Tired"', "no reason Tired"),
        ('customMetrics | where name == "reconciler.walks"', "no metric reconciler.walks"),
        ('where name == "reconciler.runs" | summarize by customDimensions.pool', "no label pool"),
        ('where name == "reconciler.runs" and tostring(customDimensions.result) == "fine"', "no result fine"),
        ('where name == "reconciler.runs" | summarize max(valueMax)', "no column valueMax"),
        ('where name == "reconciler.sweep.age" | summarize sum(valueSum)', "no column valueSum"),
        ('requests | where success == false and name in ("wrker")', "no function wrker"),
    ],
)
def test_a_query_for_what_nobody_writes_is_found(query: str, what: str) -> None:
    assert what in problems(query)


def test_the_workbook_shows_every_metric_and_every_event_is_asked_for() -> None:
    """A name that is written and never looked at is either missing on the page, or not worth writing."""
    text = " ".join(QUERIES)

    assert {name for name in metrics() if f'"{name}"' not in text} == set()
    assert set(re.findall(r'"(reconciler\.[\w.]+)"', text)) == set(metrics())
    assert {name for name in events() if f'"{name}"' not in text} == set()


def test_alerts_rest_on_metrics() -> None:
    """A metric is kept by name and label; a log line's words change. The host's own table is the one exception."""
    assert {rule["name"] for rule in RULES if "customMetrics" not in rule["query"]} == {"functions-failing"}


def test_failing_functions_are_watched_whatever_starts_them() -> None:
    (rule,) = [rule for rule in RULES if rule["name"] == "functions-failing"]
    named = set(re.findall(r'"(\w+)"', rule["query"]))

    assert named == set(json.loads((INFRA / "names.json").read_text())["otherFunctions"])


def test_notices_that_reach_no_person_are_reported_by_another_way() -> None:
    """Who relies on Teams or Slack alone hears nothing when messages are given up; single tries report nothing."""
    (rule,) = [rule for rule in RULES if "reconciler.notices." in rule["query"]]

    assert set(re.findall(r'"(reconciler\.[\w.]+)"', rule["query"])) == {
        "reconciler.notices.dead",
        "reconciler.notices.dropped",
    }
    assert rule["query"].endswith(" | where notices > 0")


def test_alerts_are_what_azure_monitor_takes() -> None:
    """Frequencies and windows are fixed lists, and a window is not shorter than its frequency (Microsoft Learn)."""
    minutes = {"PT15M": 15, "PT30M": 30, "PT1H": 60, "PT2H": 120, "PT6H": 360, "P1D": 1440}
    for rule in RULES:
        assert minutes[rule["window"]] >= minutes[rule["frequency"]], rule["name"]
        assert rule["severity"] in range(5), rule["name"]
        assert re.fullmatch(r"[a-z-]{3,40}", rule["name"])
    assert len({rule["name"] for rule in RULES}) == len(RULES)


def _heading(name: str) -> bool:
    return bool(re.search(rf"^### {re.escape(name)}$", OPERATIONS, re.MULTILINE))


@pytest.mark.parametrize("name", [rule["name"] for rule in RULES])
def test_every_alert_has_an_entry_in_the_runbook_and_names_it(name: str) -> None:
    (rule,) = [rule for rule in RULES if rule["name"] == name]

    assert _heading(name)
    assert rule["description"].endswith(f"See docs/operations.md, {name}.")


@pytest.mark.parametrize("reason", sorted(REASONS - BASES))
def test_every_reason_of_a_condition_has_an_entry_in_the_runbook(reason: str) -> None:
    assert _heading(reason)


def test_the_runbook_has_no_entry_for_what_does_not_exist() -> None:
    entries = set(re.findall(r"^### (\S+)$", OPERATIONS, re.MULTILINE))

    assert entries == REASONS - BASES | {rule["name"] for rule in RULES}


def test_the_workbook_is_one_that_azure_monitor_opens() -> None:
    items = WORKBOOK["items"]

    assert WORKBOOK["version"] == "Notebook/1.0"
    assert len({item["name"] for item in items}) == len(items)
    assert {item["type"] for item in items} == {1, 3, 9}
    assert {item["content"]["timeContextFromParameter"] for item in items if item["type"] == 3} == {
        parameter["name"] for item in items if item["type"] == 9 for parameter in item["content"]["parameters"]
    }


def test_documents_link_to_files_that_are_there() -> None:
    """Links of the pages about deployment."""
    for name in ("deploy.md", "operations.md"):
        text = (ROOT / "docs" / name).read_text()
        for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
            found = link.startswith("https://") or (ROOT / "docs" / link).exists()
            assert found, f"{name}: {link}"


def test_the_page_about_deployment_is_complete() -> None:
    """Every value that azd fills in, every role, every output is described, no other; each step has its check."""
    deploy = (ROOT / "docs" / "deploy.md").read_text()
    asked = set(re.findall(r"\$\{(\w+)", (INFRA / "main.parameters.json").read_text())) - {
        "AZURE_ENV_NAME",
        "AZURE_LOCATION",
    }
    told = set(re.findall(r"^\| `([A-Z_]+)` \|", deploy, re.MULTILINE))
    outputs = set(re.findall(r"^output (\w+)", (INFRA / "main.bicep").read_text(), re.MULTILINE))
    functions = (ROOT / "function_app.py").read_text().count("@app.function_name(")
    steps = re.split(r"^## \d\. ", deploy, flags=re.MULTILINE)[1:]

    assert told == asked
    assert set(re.findall(r"azd env set ([A-Z_]+)", deploy)) <= asked
    assert set(re.findall(r"get-value\s+([A-Z_]+)", deploy + OPERATIONS)) <= outputs
    assert {role for role in json.loads((INFRA / "roles.json").read_text())["ids"] if role not in deploy} == set()
    assert f"the number {functions}." in deploy
    assert [step.split("\n")[0] for step in steps if "**You see**" not in step] == []


def test_the_page_about_hosting_names_every_event_and_its_fields() -> None:
    table = (
        (ROOT / "docs" / "hosting.md").read_text().partition("\n| event | when | fields |\n")[2].partition("\n\n")[0]
    )
    rows = dict(re.findall(r"^\| `([\w-]+)` \| [^|]+ \| (.+) \|$", table, re.MULTILINE))
    missing = {
        name: sorted(field for field in fields if not re.search(rf"\b{field}\b", rows.get(name, "")))
        for name, fields in events().items()
    }

    assert set(rows) == set(events())
    assert {name: fields for name, fields in missing.items() if fields} == {}
