"""The pages of the reference that are made as a whole: commands, the HTTP interface, conditions and alerts."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
from collections.abc import Iterable
from typing import Any

from reconciler import errors
from reconciler.cli.app import COMMANDS
from reconciler.cli.boundary import main
from reconciler.config.variables import PREFIX, Variable
from reconciler.engine.status import REASONS
from scripts.site import ROOT, anchors

_RUNBOOK = "operations.md"
_OPENAPI = ROOT / "reconciler" / "service" / "http" / "openapi.json"
_ALERTS = ROOT / "infra" / "alerts.json"
_BASES = ("ReconcilerError", "Transient", "Terminal")


def commands() -> str:
    """What `--help` prints for every command."""
    return "\n\n".join(f"## {name}\n\n```text\n{_help(name)}\n```" for name in COMMANDS)


def settings_table(rows: Iterable[Variable]) -> str:
    """Environment variables: names, meanings, defaults, units."""
    head = ["| variable | meaning | default | unit |", "| --- | --- | --- | --- |"]
    return "\n".join([*head, *map(_setting, rows)])


def _setting(row: Variable) -> str:
    default = row.default if "`" in row.default else f"`{row.default}`" if row.default else "—"
    return (
        f"| `{PREFIX}{row.name}` | {row.meaning}{' (secret)' if row.secret else ''} | {default} | {row.unit or '—'} |"
    )


def routes() -> str:
    """Every route of the HTTP interface, with its parameters, body and responses."""
    document = json.loads(_OPENAPI.read_text(encoding="utf-8"))
    parts = []
    for path, methods in document["paths"].items():
        shared = methods.get("parameters", [])
        for method, route in methods.items():
            if method != "parameters":
                parts.append(_route(document, f"{method.upper()} {path}", route, shared))
    return "\n\n".join(parts)


def conditions() -> str:
    """Every reason that a condition may have, with its entry in the runbook."""
    rows = [
        f"| [{name}]({_RUNBOOK}#{_anchor(name)}) | {_then(name)} | {_first_sentence(name)} |" for name in _reasons()
    ]
    return "\n".join(["| reason | then | meaning |", "| --- | --- | --- |", *rows])


def alerts() -> str:
    """Every alert rule, with its entry in the runbook."""
    rules = json.loads(_ALERTS.read_text(encoding="utf-8"))["rules"]
    rows = [
        f"| [{rule['name']}]({_RUNBOOK}#{_anchor(rule['name'])}) | {rule['severity']} | "
        f"{rule['description'].partition(' See docs/')[0]} |"
        for rule in sorted(rules, key=lambda rule: (rule["severity"], rule["name"]))
    ]
    return "\n".join(["| alert | severity | fires when |", "| --- | --- | --- |", *rows])


def _help(name: str) -> str:
    said = io.StringIO()
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "100"
    try:
        with contextlib.redirect_stdout(said):
            main([name, "--help"])
    finally:
        os.environ.pop("COLUMNS") if before is None else os.environ.update(COLUMNS=before)
    return "\n".join(line.rstrip() for line in said.getvalue().strip().splitlines())


def _route(document: dict[str, Any], title: str, route: dict[str, Any], shared: list[dict[str, Any]]) -> str:
    text = [f"## {title}", f"{route['summary']}.{_sentence(route.get('description', ''))}"]
    parameters = [_resolved(document, one) for one in [*shared, *route.get("parameters", [])]]
    if parameters:
        rows = [
            f"| `{one['name']}` | {one['in']} | {_yes(one.get('required'))} | {_cell(one.get('description', ''))} |"
            for one in parameters
        ]
        text.append("\n".join(["| parameter | in | required | meaning |", "| --- | --- | --- | --- |", *rows]))
    if body := route.get("requestBody"):
        text.append(f"Body: {_content(document, _resolved(document, body))}.")
    told = {code: each for code, each in sorted(route["responses"].items()) if "$ref" not in each}
    rows = [
        f"| {code} | {_cell(each.get('description', ''))} | {_content(document, each)} |" for code, each in told.items()
    ]
    shared_answers: dict[str, list[str]] = {}
    for code, each in sorted(route["responses"].items()):
        if code not in told:
            shared_answers.setdefault(each["$ref"], []).append(code)
    for reference, codes in shared_answers.items():
        answer = _resolved(document, {"$ref": reference})
        rows.append(f"| {', '.join(codes)} | {_cell(answer.get('description', ''))} | {_content(document, answer)} |")
    text.append("\n".join(["| status | meaning | body |", "| --- | --- | --- |", *rows]))
    return "\n\n".join(text)


def _content(document: dict[str, Any], holder: dict[str, Any]) -> str:
    """Media types with the name of the schema, or its fields where it has none."""
    found = []
    for media, content in holder.get("content", {}).items():
        reference = content.get("schema", {}).get("$ref", "")
        name = f" `{reference.rpartition('/')[2]}`" if reference else ""
        fields = _resolved(document, content.get("schema", {})).get("properties", {})
        listed = f" with {', '.join(f'`{field}`' for field in fields)}" if fields else ""
        found.append(f"`{media}`{name}{listed}")
    return "; ".join(found) or "—"


def _resolved(document: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    """What a reference within the document stands for."""
    reference = value.get("$ref", "")
    if not reference:
        return value
    found: dict[str, Any] = document
    for name in reference.removeprefix("#/").split("/"):
        found = found[name]
    return found


def _yes(value: object) -> str:
    return "yes" if value else "no"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _sentence(text: str) -> str:
    return f" {_cell(text)}" if text else ""


def _reasons() -> list[str]:
    """Those that are no error, then the errors in the order of their module."""
    kinds = [name for name in vars(errors) if name in REASONS - set(_BASES)]
    return [*sorted(REASONS - set(kinds) - set(_BASES)), *kinds]


def _then(name: str) -> str:
    if not hasattr(errors, name):
        return "—"
    return "retried automatically" if errors.family(name) is errors.Transient else "a person has to act"


def _first_sentence(name: str) -> str:
    """How the runbook's entry begins."""
    runbook = (ROOT / "docs" / _RUNBOOK).read_text(encoding="utf-8")
    paragraph = runbook.partition(f"\n### {name}\n\n")[2].partition("\n\n")[0]
    return _cell(re.split(r"(?<=[.:])\s", _cell(paragraph), maxsplit=1)[0].rstrip(":."))


def _anchor(name: str) -> str:
    """The last heading of that name: alerts come before conditions, and *throttled* is both."""
    lower = name.lower()
    known = [
        one for one in anchors((ROOT / "docs" / _RUNBOOK).read_text(encoding="utf-8")) if one in (lower, f"{lower}-1")
    ]
    return known[-1] if name != lower else known[0]
