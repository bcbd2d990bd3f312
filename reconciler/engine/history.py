"""What was written, read from the record of writes: one value for each write, joined from its entries, newest first.

Command line and HTTP interface show the same JSON. A chain with damage is shown as far as it can be read, and named:
reading decides nothing, and a person who asks after an incident must get what there is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from reconciler.documents import Json, JsonObject, moment, moment_of, number_of, text_of
from reconciler.engine.recorder import RUN_MOMENT
from reconciler.engine.status import PoolStatus
from reconciler.errors import NotFound, Rejected
from reconciler.ports.write_log import WriteLog

FORMAT = "reconciler/history/v1"
RUN_FORMAT = "reconciler/run/v1"
DEFAULT_LIMIT = 100
MOST = 200
"""Writes of one answer."""
DEFAULT_SINCE = "7d"
LONGEST = timedelta(days=3650)
RUN_ID = re.compile(r"(\d{8}T\d{6}Z)-[0-9a-f]{12}")
_AGO = re.compile(r"([1-9][0-9]{0,4})([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_CURSOR = re.compile(r"([0-9TZ:.+-]{20,40})~([0-9]{1,12})~([a-z0-9./-]{1,100})")
_SKEW = timedelta(hours=1)
"""How far the clock of the writer of an entry may have been behind that of its run."""
_TAKEN = (
    "id", "run", "at", "pool", "facet", "what", "subject", "action", "route", "place", "before", "after", "details",
    "risk", "risks", "trigger", "cause", "commit", "file", "line", "plan", "policy", "trace", "actor",
)  # fmt: skip
"""Fields of an intent that a write shows; what an older release did not write is null."""


class QueryInvalid(ValueError):
    """A query that cannot be meant: the field, and what it must be."""


@dataclass(frozen=True, slots=True)
class Query:
    """Which writes; an empty field restricts nothing."""

    since: datetime
    pool: str = ""
    project: str = ""
    """``ORGANIZATION/PROJECT``, or a project in any organization."""
    actor: str = ""
    """Part of the name, or the id, of who made the drift that was corrected."""
    limit: int = DEFAULT_LIMIT
    before: str = ""
    """`HistoryPage.next` of the page before."""

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= MOST:
            raise QueryInvalid(f"limit: must be a whole number from 1 to {MOST}")
        if self.before and _CURSOR.fullmatch(self.before) is None:
            raise QueryInvalid("before: must be `next` of an earlier answer")


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Some writes, newest first."""

    writes: tuple[JsonObject, ...]
    next: str
    """For the page after this one; empty where there is none."""
    problems: tuple[str, ...]
    """Chains that are damaged: what can be read of them is shown."""

    def to_json(self, query: Query, status: PoolStatus | None = None) -> dict[str, Json]:
        """The documented JSON form; `status`: of the pool that the query names, which says since when it is so."""
        return {
            "format": FORMAT,
            "since": moment(query.since),
            "conditions": status.public()["conditions"] if status is not None else None,
            "writes": list(self.writes),
            "next": self.next or None,
            "problems": list(self.problems),
        }


def since_of(text: str, now: datetime) -> datetime:
    """The moment of ``7d``, ``12h``, ``30m``, ``2w``, a date (UTC) or a moment with its zone; else `QueryInvalid`.

    The record is kept for years at most, so one that is longer ago is that long ago.
    """
    if found := _AGO.fullmatch(text.strip()):
        return now - min(LONGEST, timedelta(**{_UNITS[found[2]]: int(found[1])}))
    if (given := _moment(text.strip())) is not None:
        return max(given, now - LONGEST)
    raise QueryInvalid(
        f"since: {text[:60]!r} is no time back (30m, 12h, 7d, 2w), no date (2026-11-01) and no moment with its zone "
        f"(2026-11-01T12:00:00Z)"
    )


def page(log: WriteLog, query: Query) -> HistoryPage:
    """The writes that a query asks for."""
    found, problems = _writes(log, query.since)
    kept = sorted((one for one in found if _matches(one, query)), key=_key, reverse=True)
    if query.before:
        at, number, chain = query.before.split("~")
        kept = [one for one in kept if _key(one) < (at, int(number), chain)]
    rest = len(kept) > query.limit
    kept = kept[: query.limit]
    return HistoryPage(tuple(_shown(one) for one in kept), "~".join(map(str, _key(kept[-1]))) if rest else "", problems)


def newest(log: WriteLog, since: datetime, keys: Collection[str]) -> dict[str, JsonObject]:
    """By pool, the newest write of this moment and later, as far as the record can be read."""
    found: dict[str, JsonObject] = {}
    for one in sorted(_writes(log, since)[0], key=_key):
        if (key := text_of(one, "pool").casefold()) in keys:
            found[key] = _shown(one)
    return found


def run_of(log: WriteLog, run: str) -> dict[str, Json]:
    """One run: what its writes have in common, and these in order. `NotFound` where none of them is on record."""
    started = RUN_ID.fullmatch(run)
    if started is None:
        raise QueryInvalid(f"run: {run[:60]!r} is not the id of a run, as `history` shows it")
    try:
        at = datetime.strptime(started[1], RUN_MOMENT).replace(tzinfo=UTC)
    except ValueError:
        raise NotFound(f"run {run}: there is none; it begins with no moment") from None
    found, problems = _writes(log, at - _SKEW)
    mine = sorted((one for one in found if text_of(one, "run") == run), key=_key)
    if not mine:
        raise NotFound(f"run {run}: none of its writes is on record; a run that wrote nothing is not")
    common = ("run", "pool", "trigger", "commit", "file", "plan", "policy", "trace")
    return {
        "format": RUN_FORMAT,
        **{name: mine[0].get(name) for name in common},
        "started": moment(at),
        "writes": [_shown(one) for one in mine],
        "problems": list(problems),
    }


def _writes(log: WriteLog, since: datetime) -> tuple[list[JsonObject], tuple[str, ...]]:
    """Every write of this moment and later, as its intent with its results and proofs under their names."""
    found: list[JsonObject] = []
    problems: list[str] = []
    for chain in log.chains():
        try:
            entries: Iterable[JsonObject] = log.since(chain, since)
        except Rejected as error:
            problems.append(str(error))
            readable = (one for one in log.entries(chain) if isinstance(one, dict))
            entries = [one for one in readable if (at := moment_of(one.get("at"))) is not None and at >= since]
        found += _joined(chain, entries)
    return found, tuple(problems)


def _joined(chain: str, entries: Iterable[JsonObject]) -> Iterator[JsonObject]:
    """Entries of one chain by write: the last result counts, and the last proof."""
    intents: dict[str, dict[str, Json]] = {}
    for entry in entries:
        kind = entry.get("kind")
        if kind == "intent":
            intents[text_of(entry, "id")] = {**entry, "chain": chain, "result": None, "proof": None}
        elif kind in ("result", "proof") and (one := intents.get(text_of(entry, "of"))) is not None:
            said = {"outcome": entry.get("outcome"), "at": entry.get("at"), "run": entry.get("run")}
            one[str(kind)] = said | ({"error": entry["error"]} if "error" in entry else {})
    yield from intents.values()


def _shown(write: JsonObject) -> dict[str, Json]:
    shown = {name: write.get(name) for name in (*_TAKEN, "chain", "result", "proof")}
    return shown | ({"imported": True} if "imported" in write else {})


def _key(write: JsonObject) -> tuple[str, int, str]:
    at = moment_of(write.get("at"))
    return (f"{at:%Y-%m-%dT%H:%M:%S.%fZ}" if at else "", int(number_of(write, "number")), text_of(write, "chain"))


def _matches(write: JsonObject, query: Query) -> bool:
    place = write.get("place")
    if query.pool and text_of(write, "pool").casefold() != query.pool.casefold():
        return False
    if query.project and not _in_project(place if isinstance(place, Mapping) else {}, query.project.casefold()):
        return False
    return not query.actor or _by(write.get("actor"), query.actor.casefold())


def _in_project(place: JsonObject, wanted: str) -> bool:
    organization, project = text_of(place, "organization").casefold(), text_of(place, "project").casefold()
    return bool(project) and wanted in (project, f"{organization}/{project}")


def _by(actor: Json, wanted: str) -> bool:
    if not isinstance(actor, Mapping):
        return False
    return wanted in text_of(actor, "name").casefold() or wanted == text_of(actor, "id").casefold()


def _moment(text: str) -> datetime | None:
    try:
        given = datetime.fromisoformat(text.upper())
        if given.tzinfo is None:
            return given.replace(tzinfo=UTC) if len(text) == len("2026-11-01") else None
        return given.astimezone(UTC)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)
    except ValueError:
        return None
