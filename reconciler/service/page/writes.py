"""What was written for a pool, from the record of writes: intents with their results and proofs, newest first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from reconciler.documents import Json, JsonObject, list_of, moment_of, text_of
from reconciler.errors import ReconcilerError
from reconciler.ports.write_log import WriteLog, organization_chain, subscription_chain
from reconciler.service.page.pictures import Line

DAYS = (7, 30, 400)
"""How far back people can look; the first is shown unless they ask."""
MOST = 50
"""Writes of one page."""


@dataclass(frozen=True, slots=True)
class Write:
    """One write."""

    at: datetime
    subject: str
    facet: str
    action: str
    before: Json
    after: Json
    details: tuple[Mapping[str, Json], ...]
    risk: str
    organization: str
    project: str
    commit: str
    file: str
    trigger: str
    run: str
    actor: str
    """Who changed what this write put back, as far as that is known."""
    outcome: str
    proof: str


@dataclass(frozen=True, slots=True)
class Writes:
    """The newest writes, and what could not be read."""

    shown: tuple[Write, ...] = ()
    more: int = 0
    """Older ones of the same days."""
    problems: tuple[str, ...] = field(default=())


def of_pool(record: WriteLog, line: Line, since: datetime, place: Mapping[str, str]) -> Writes:
    """Writes since then; of one organization or project where `place` names them."""
    found: list[Write] = []
    problems: list[str] = []
    for chain in _chains(line):
        try:
            found += _writes(record.since(chain, since), line.key)
        except ReconcilerError as error:
            problems.append(f"{chain}: {error}")
    wanted = [one for one in found if _is_in(one, place)]
    wanted.sort(key=lambda one: (one.at, one.subject), reverse=True)
    return Writes(tuple(wanted[:MOST]), max(0, len(wanted) - MOST), tuple(problems))


def _is_in(write: Write, place: Mapping[str, str]) -> bool:
    organization, project = place.get("organization", ""), place.get("project", "")
    return (not organization or write.organization.lower() == organization.lower()) and (
        not project or write.project.casefold() == project.casefold()
    )


def _chains(line: Line) -> list[str]:
    if line.spec is not None:
        organizations = {one.name for one in line.spec.organizations}
        return [*sorted(map(organization_chain, organizations)), subscription_chain(line.spec.subscription)]
    return sorted({organization_chain(name.partition("/")[0]) for name in line.status.remembered.pools})


def _writes(entries: Iterable[JsonObject], key: str) -> list[Write]:
    intents: list[JsonObject] = []
    outcomes: dict[tuple[str, str], str] = {}
    for entry in entries:
        if text_of(entry, "pool").lower() != key:
            continue
        kind = text_of(entry, "kind")
        if kind == "intent":
            intents.append(entry)
        elif kind in ("result", "proof"):
            outcomes[text_of(entry, "of"), kind] = text_of(entry, "outcome")
    return [write for entry in intents if (write := _write(entry, outcomes)) is not None]


def _write(entry: JsonObject, outcomes: Mapping[tuple[str, str], str]) -> Write | None:
    at, name = moment_of(entry.get("at")), text_of(entry, "id")
    if at is None:
        return None
    place, details = entry.get("place"), list_of(entry, "details")
    where = place if isinstance(place, Mapping) else {}
    return Write(
        at, text_of(entry, "subject"), text_of(entry, "facet"), text_of(entry, "action"), entry.get("before"),
        entry.get("after"), tuple(one for one in details if isinstance(one, Mapping)), text_of(entry, "risk"),
        text_of(where, "organization"), text_of(where, "project"), text_of(entry, "commit"), text_of(entry, "file"),
        text_of(entry, "trigger"), text_of(entry, "run"), _actor(entry.get("actor")),
        outcomes.get((name, "result"), "not known"), outcomes.get((name, "proof"), ""),
    )  # fmt: skip


def _actor(actor: Json) -> str:
    if isinstance(actor, Mapping):
        said = [text_of(actor, name) for name in ("confidence", "name", "id")]
        return " ".join(text for text in said[:2] if text) or said[2]
    return actor if isinstance(actor, str) else ""
