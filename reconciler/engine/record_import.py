"""Adds the entries of another record to this one: of onboarding, which is done before there is a deployment."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.documents import JsonObject, text_of
from reconciler.documents.chain import CHECKPOINT, CLOSED, problems
from reconciler.errors import Rejected
from reconciler.ports.write_log import WriteLog

AT_ONCE = 25
"""Entries of one request: of the longest ones less than a block of 4 MiB."""
_LINKS = frozenset({"number", "previous", "hash"})


def import_record(source: WriteLog, target: WriteLog) -> Mapping[str, int]:
    """Chain → entries that were added; those that were added before are left out. `Rejected`: the source is damaged.

    An entry keeps its fields and gets its number and hash in the source under ``imported``.
    """
    chains = {chain: list(source.entries(chain)) for chain in source.chains()}
    for chain, entries in chains.items():
        for problem in problems(entries):
            raise Rejected(f"record {chain}: {problem}; nothing is imported")
    return {chain: _add(target, chain, [one for one in entries if _counts(one)]) for chain, entries in chains.items()}


def _counts(entry: JsonObject) -> bool:
    return entry.get("kind") not in (CHECKPOINT, CLOSED)


def _add(target: WriteLog, chain: str, entries: list[JsonObject]) -> int:
    known = {text_of(one["imported"], "hash") for one in target.entries(chain)
             if isinstance(one, dict) and isinstance(one.get("imported"), dict)}  # fmt: skip
    new = [_carried(one) for one in entries if one["hash"] not in known]
    for first in range(0, len(new), AT_ONCE):
        target.append(chain, new[first : first + AT_ONCE])
    return len(new)


def _carried(entry: JsonObject) -> JsonObject:
    kept = {name: value for name, value in entry.items() if name not in _LINKS}
    return {**kept, "imported": {"number": entry["number"], "hash": entry["hash"]}}
