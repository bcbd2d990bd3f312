"""What ARM has of a pool, put into the part of a spec that is the ARM body.

A field that the spec names says afterwards what the resource has; one that the resource has not is named no more, since
an update by ARM takes nothing away. What does not differ stays as it is written, in whichever published shape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy

from reconciler.documents import Json
from reconciler.facets.support import mutability, ownership
from reconciler.facets.support.arm_document import differences, place_of_entry
from reconciler.facets.support.mutability import Way
from reconciler.facets.support.ownership import Owned
from reconciler.spec.names import organization_key
from reconciler.spec.problem import Path
from reconciler.spec.shapes import Shaping, Trace
from reconciler.tools.adopt.errors import CannotAdopt
from reconciler.tools.adopt.pairing import paired, same
from reconciler.tools.import_ import body_of
from reconciler.tools.spec_writer import value_at

_IN_DEVOPS = mutability.names(Way.DEVOPS, Way.SERVICE)
"""What ARM does not keep up to date: read in Azure DevOps, or of no interest."""
_NOTHING: tuple[Json, ...] = (None, "", [], {})
Wanted = Callable[[tuple[str, ...]], bool]
"""Whether the field at this path of a plan's details is to be adopted."""


def with_resource(value: Mapping[str, Json], document: Mapping[str, Json], chosen: Wanted) -> dict[str, Json]:
    """The spec's document (as its file has it) with the chosen fields as the resource has them."""
    old = canonical(value)
    observed = {**body_of(document)[0], "location": document.get("location")}
    new = _mapping(old, observed, document, (), chosen)
    made = with_body(value, new)
    left = [one for one in differences(canonical(made), document) if chosen(one.path)]
    if left:
        paths = ", ".join(".".join(one.path).removeprefix("properties.") for one in left)
        raise CannotAdopt(f"{paths}: cannot be written as the resource has it; change the spec by hand")
    return made


def canonical(value: Mapping[str, Json]) -> dict[str, Json]:
    """The ARM body of a spec's document."""
    return Shaping().pool(value["pool"], ())


def with_body(value: Mapping[str, Json], new: Mapping[str, Json]) -> dict[str, Json]:
    """The spec's document with another ARM body, in the shape of its file."""
    made: dict[str, Json] = deepcopy(dict(value))
    trace: Trace = {}
    old = Shaping(trace=trace).pool(value["pool"], ("pool",))
    _write(made, old, new, ("pool",), trace)
    if not same(canonical(made), dict(new)):
        raise CannotAdopt("the shape of the file has no place for it; change the spec by hand")
    return made


# --- what the spec says afterwards ------------------------------------------------------------------------------


def _mapping(
    wanted: Mapping[str, Json],
    observed: Mapping[str, Json],
    document: Mapping[str, Json],
    path: tuple[str, ...],
    chosen: Wanted,
) -> dict[str, Json]:
    """`observed`: as a spec would say it; `document`: as the service does."""
    result: dict[str, Json] = {}
    for key, value in wanted.items():
        here = (*path, key)
        raw, current = _at(document, key), _at(observed, key)
        if key in _IN_DEVOPS or not differences({key: value}, {} if raw is None else {key: raw}):
            result[key] = value
        elif _is_object(key, value, raw) and not _other_kind(value, raw):
            inner = _mapping(value, current if isinstance(current, Mapping) else {}, raw, here, chosen)
            if inner or key == "tags":
                result[key] = inner
        elif _are_entries(value, raw):
            result[key] = _entries(key, value, (current or [], raw or []), here, chosen)
        elif not chosen(here):
            result[key] = value
        elif isinstance(current, Mapping) and isinstance(value, Mapping):
            result[key] = {**{name: value[name] for name in value if name in _IN_DEVOPS}, **current}
        elif current not in _NOTHING or (key == "projects" and raw == []):
            result[key] = [] if current is None else deepcopy(current)
    return {key: item for key, item in result.items() if item != {} or wanted[key] == {}}


def _entries(
    key: str,
    value: Sequence[Mapping[str, Json]],
    observed: tuple[Sequence[Mapping[str, Json]], Sequence[Mapping[str, Json]]],
    path: tuple[str, ...],
    chosen: Wanted,
) -> list[Json]:
    """A list of objects: entries that stand for a live one stay, the others go, and new ones are added."""
    said, raw = observed
    left = list(range(len(raw)))
    found: list[Json] = []
    for index, item in enumerate(value):
        at = _partner(key, item, raw, left, index if len(value) == len(raw) else None)
        here = place_of_entry(path, key, item, index)
        if at is None:
            if not (chosen(here) or chosen(path)):
                found.append(item)
            continue
        left.remove(at)
        if not differences({key: [item]}, {key: [raw[at]]}):
            found.append(item)
        elif _other_kind(item, raw[at]) or _is_whole(key):
            found.append(dict(said[at]) if chosen(here) or chosen(path) else item)
        else:
            inner = _mapping(item, said[at], raw[at], here, lambda one: chosen(one) or chosen(path))
            if key == "organizations":
                inner["url"] = item["url"]
            found.append(inner)
    for at in left:
        here = place_of_entry(path, key, raw[at], at)
        if chosen(here) or chosen(path):
            found.insert(min(at, len(found)), deepcopy(dict(said[at])))
    return found


def _partner(
    key: str, item: Mapping[str, Json], raw: Sequence[Mapping[str, Json]], left: Sequence[int], index: int | None
) -> int | None:
    """The live entry that an entry of the spec stands for."""
    row = ownership.row_of(key)
    if row is not None and row.identity is not None and (name := row.identity(item)):
        return next((at for at in left if row.identity(raw[at]) == name), None)
    equal = next((at for at in left if not differences({key: [item]}, {key: [raw[at]]})), None)
    return equal if equal is not None else index if index in left else None


def _at(value: Mapping[str, Json], key: str) -> Json:
    """A field, whatever the case of its name."""
    if key in value:
        return value[key]
    return next((item for name, item in value.items() if name.casefold() == key.casefold()), None)


def _is_object(key: str, value: Json, current: Json) -> bool:
    row = ownership.row_of(key)
    return isinstance(value, Mapping) and isinstance(current, Mapping) and (row is None or key == "tags")


def _other_kind(value: Mapping[str, Json], current: Mapping[str, Json]) -> bool:
    """Whether the resource has an object of another kind, whose fields are others."""
    return "kind" in value and bool(differences({"kind": value["kind"]}, {"kind": current.get("kind")}))


def _is_whole(key: str) -> bool:
    """Whether the entries of a list are maps whose keys are data."""
    row = ownership.row_of(f"{key}[*]")
    return row is not None and row.owned is Owned.WHOLE


def _are_entries(value: Json, current: Json) -> bool:
    lists = isinstance(value, list) and isinstance(current, list | None)
    items = [*value, *(current or ())] if lists else []
    return bool(items) and all(isinstance(item, Mapping) for item in items)


# --- back into the shape of the file ----------------------------------------------------------------------------


def _write(made: Json, old: Mapping[str, Json], new: Mapping[str, Json], base: Path, trace: Trace) -> None:
    """Bring the places in the file from one canonical object to another one."""
    places = trace.get(id(old), {})
    for key, value in new.items():
        place = places.get(key, (*base, key))
        before = old.get(key)
        if key in old and same(before, value):
            continue
        if isinstance(before, Mapping) and isinstance(value, Mapping) and value:
            _write(made, before, value, place, trace)
        elif isinstance(before, list) and isinstance(value, list) and isinstance(value_at(made, place), list):
            _write_list(made, before, value, place, trace)
        else:
            _set(made, place, deepcopy(value))
    gone = [places.get(key, (*base, key)) for key in old if key not in new]
    for place in sorted(gone, key=str, reverse=True):
        _remove(made, place)


def _write_list(made: Json, old: Sequence[Json], new: Sequence[Json], base: Path, trace: Trace) -> None:
    pairs = paired(old, new)
    for at, index in enumerate(pairs):
        if index is not None and isinstance(old[index], Mapping) and isinstance(new[at], Mapping):
            _write(made, old[index], new[at], (*base, index), trace)
    raw = value_at(made, base)
    entries = [
        raw[index] if index is not None and isinstance(old[index], Mapping | list) else deepcopy(new[at])
        for at, index in enumerate(pairs)
    ]
    _set(made, base, entries)


def _set(value: Json, path: Path, new: Json) -> None:
    for step in path[:-1]:
        value = value.setdefault(step, {}) if isinstance(value, dict) else value[step]
    if isinstance(value, list) and isinstance(path[-1], str):
        value.append(path[-1])  # identities as a list of ids
    else:
        value[path[-1]] = new


def _remove(value: Json, path: Path) -> None:
    holder = value_at(value, path[:-1])
    if isinstance(holder, dict):
        holder.pop(path[-1], None)
    elif isinstance(holder, list) and isinstance(path[-1], int):
        del holder[path[-1]]


def organizations_of(value: Mapping[str, Json]) -> dict[str, set[str]]:
    """Organization → its projects, case-folded; none listed: an empty set."""
    profile = canonical(value).get("properties", {}).get("organizationProfile", {})
    return {
        organization_key(one.get("url", "")): {name.casefold() for name in one.get("projects") or ()}
        for one in profile.get("organizations") or ()
    }
