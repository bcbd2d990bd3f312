"""The parts of a policy/v2 file that are about the deployment: `caps`, `operators`, `windows`, `state`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from reconciler.documents.spelling import nearest
from reconciler.plan.policy import schedule
from reconciler.plan.policy.nodes import MAPPING, SEQUENCE, Problem, is_text, line_of, name_of, whole_number
from reconciler.plan.policy.parts import Cap, CapKind, CapPeriod, CapScope, Operator, StatePlace, Window
from reconciler.plan.targets import Risk
from reconciler.spec import names
from reconciler.spec.problem import show

MOST_CHANGES = 100_000
"""Of a cap."""
RISKS = (Risk.WIDENS, Risk.NARROWS, Risk.RESTARTS, Risk.DESTROYS)
WINDOW = ("risks", "cron", "timeZone", "length")
LENGTH = r"(?:([0-7])\.)?([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])"


@dataclass(frozen=True, slots=True)
class Reader:
    """How one part is checked and read."""

    problems: Callable[[Any], Iterator[Problem]]
    value: Callable[[Any], Any]


# --- caps ----------------------------------------------------------------------------------------------------


def _cap_problems(node: Any) -> Iterator[Problem]:
    for _, kind, inner in (yield from _mapping(node, tuple(CapKind), "")):
        for _, scope, periods in (yield from _mapping(inner, tuple(CapScope), f".{kind}")):
            where = f".{kind}.{scope}"
            for key, period, most in (yield from _mapping(periods, tuple(CapPeriod), where)):
                if scope == CapScope.ORGANIZATION and kind in (CapKind.RESTARTS, CapKind.DESTRUCTIONS):
                    yield key, f"{where}: {kind} are counted by pool and in all: they are changes of Azure"
                if whole_number(most, MOST_CHANGES) is None:
                    yield most, f"{where}.{period}: is not a whole number from 0 to {MOST_CHANGES}"


def _caps(node: Any) -> tuple[Cap, ...]:
    return tuple(
        Cap(CapKind(kind.value), CapScope(scope.value), CapPeriod(period.value), int(most.value), line_of(period))
        for kind, scopes in node.value
        for scope, periods in scopes.value
        for period, most in periods.value
    )


def _mapping(node: Any, known: tuple[str, ...], where: str) -> Any:
    """The problems of a mapping with these keys; returns its entries with a known key, once each."""
    if not isinstance(node, yaml.MappingNode) or node.tag != MAPPING:
        yield node, f"{where}{':' if where else ''} is not a mapping of {', '.join(known)}".lstrip()
        return []
    found, seen = [], set()
    for key, value in node.value:
        name = name_of(key)
        if name not in known:
            near = nearest(name, known)
            hint = f"did you mean {near}?" if near else f"known are {', '.join(known)}"
            yield key, f"{where}.{show(name)}: unknown field; {hint}"
        elif name in seen:
            yield key, f"{where}.{name}: is given twice"
        else:
            found.append((key, name, value))
        seen.add(name)
    return found


# --- operators and state ---------------------------------------------------------------------------------------


def _operator_problems(node: Any) -> Iterator[Problem]:
    for index, item in enumerate((yield from _list(node, "addresses and object ids"))):
        if not is_text(item):
            yield item, f"[{index}]: is not text; put it in quotes"
        elif wrong := names.account(item.value):
            yield item, f"[{index}]: {wrong}"


def _operators(node: Any) -> tuple[Operator, ...]:
    return tuple(Operator(item.value, line_of(item)) for item in node.value)


def _state_problems(node: Any) -> Iterator[Problem]:
    if not is_text(node):
        yield node, "is not text; write what RECONCILER_STATE says: a storage account's https:// URL, or a file"
        return
    text = node.value
    # What is wrong may be a secret, so the value is never shown.
    if re.match(r"[A-Za-z]+=", text) or "?" in text or re.match(r"\w+://[^/]*@", text):
        yield node, "holds a key or a signature; write the storage account's URL alone, access comes from its roles"
    elif "://" in text and not text.startswith(("https://", "http://")):
        yield node, "is no https:// URL"


def _list(node: Any, what: str) -> Any:
    if not isinstance(node, yaml.SequenceNode) or node.tag != SEQUENCE:
        yield node, f"is not a list of {what}"
        return []
    return node.value


# --- windows ---------------------------------------------------------------------------------------------------


def _window_problems(node: Any) -> Iterator[Problem]:
    for index, item in enumerate((yield from _list(node, "windows"))):
        given = {name: value for _, name, value in (yield from _mapping(item, WINDOW, f"[{index}]"))}
        if not isinstance(item, yaml.MappingNode):
            continue
        for name in WINDOW:
            if name not in given:
                yield item, f"[{index}]: has no {name}"
        for name, value in given.items():
            for where, message in _CHECKS[name](value):
                yield where, f"[{index}].{name}: {message}"


def _wrong_risks(node: Any) -> Iterator[Problem]:
    items = yield from _list(node, f"risks: {', '.join(RISKS)}")
    if isinstance(node, yaml.SequenceNode) and not items:
        yield node, f"is empty; write some of {', '.join(RISKS)}"
    for item in items:
        if not is_text(item) or item.value not in RISKS:
            yield item, f"holds what is none of {', '.join(RISKS)}"


def _wrong_cron(node: Any) -> Iterator[Problem]:
    if found := schedule.wrong(node.value if is_text(node) else ""):
        yield node, found


def _wrong_zone(node: Any) -> Iterator[Problem]:
    try:
        if is_text(node):
            ZoneInfo(node.value)
            return
    except (OSError, ValueError, KeyError):
        pass
    yield node, "is no time zone of the IANA database, such as Europe/Berlin"


def _wrong_length(node: Any) -> Iterator[Problem]:
    if not is_text(node) or not re.fullmatch(LENGTH, node.value) or not _length(node.value):
        yield node, "is no time span from '00:00:01' to '7.23:59:59', as d.hh:mm:ss in quotes"


_CHECKS: Mapping[str, Callable[[Any], Iterator[Problem]]] = {
    "risks": _wrong_risks,
    "cron": _wrong_cron,
    "timeZone": _wrong_zone,
    "length": _wrong_length,
}


def _length(text: str) -> timedelta:
    found = re.fullmatch(LENGTH, text)
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups()) if found else (0, 0, 0, 0)
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def _windows(node: Any) -> tuple[Window, ...]:
    return tuple(map(_window, node.value))


def _window(node: Any) -> Window:
    given = {key.value: value for key, value in node.value}
    risks = tuple(Risk(item.value) for item in given["risks"].value)
    length = _length(given["length"].value)
    return Window(risks, given["cron"].value, given["timeZone"].value, length, line_of(node))


READERS: Mapping[str, Reader] = {
    "caps": Reader(_cap_problems, _caps),
    "operators": Reader(_operator_problems, _operators),
    "windows": Reader(_window_problems, _windows),
    "state": Reader(_state_problems, lambda node: StatePlace(node.value, line_of(node))),
}
