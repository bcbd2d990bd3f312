"""Pieces to drafts of specs: parts of one pool are put together, and what cannot stay is said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.errors import SpecInvalid
from reconciler.spec.problem import show
from reconciler.spec.shapes import Shaping
from reconciler.tools.convert.piece import Piece
from reconciler.tools.spec_writer import Draft, settled

Json = Any
_BODY = ("location", "tags", "identity", "properties")
_LISTS = frozenset({"projects", "users", "groups", "observedCertificates", "aliases", "repositories"})
"""Where samples and people write one text for a list of one; «a single email address or a list» says the page on
security of `users` (Microsoft Learn: managed-devops-pools/configure-security)."""


@dataclass(frozen=True, slots=True)
class Given:
    """What files of these forms do not say."""

    subscription: str
    resource_group: str
    name: str = ""
    """For parts, and for a template of one pool whose name is an expression."""
    location: str = ""
    mode: str = "report"


def drafts(found: Sequence[Piece], given: Given) -> list[Draft]:
    """One draft for each pool; all parts together are one more, or belong to the only pool."""
    whole = [piece for piece in found if piece.whole]
    parts = [piece for piece in found if not piece.whole]
    if len(whole) > 1 and parts:
        raise SpecInvalid(f"{parts[0].source}: is a part of a pool, and there are {len(whole)} pools; convert it alone")
    if len(whole) > 1 and given.name:
        raise SpecInvalid(f"name: {given.name} was given, but there are {len(whole)} pools")
    groups = [[one] for one in whole] if whole else []
    if parts:
        groups = [[*(groups[0] if groups else []), *parts]]
    return [_draft(group, given) for group in groups]


def _draft(group: Sequence[Piece], given: Given) -> Draft:
    name = given.name or next((piece.name for piece in group if piece.name), "")
    if not name:
        raise SpecInvalid(f"{group[0].source}: does not say the pool's name; give it by --name")
    notes: list[str] = [note for piece in group for note in piece.notes]
    pool = _body(group, notes)
    if given.location:
        pool["location"] = given.location
    document = {
        "apiVersion": "reconciler/v1",
        "kind": "ManagedDevOpsPool",
        "name": name,
        "subscription": given.subscription,
        "resourceGroup": given.resource_group,
        "mode": given.mode,
        "pool": _listed(pool, notes),
    }
    draft = Draft(document)
    for note in (*notes, *_unsaid(pool)):
        draft.note(("pool",), note)
    return settled(draft)


def _body(group: Sequence[Piece], notes: list[str]) -> dict[str, Json]:
    """The pool of all pieces; what two of them say is taken from the first."""
    body: dict[str, Json] = {}
    for piece in group:
        shaping = Shaping()
        shaped = shaping.pool(piece.body, ())
        notes += [f"{piece.source}: {'.'.join(map(str, where))}: {message}" for where, message in shaping.findings]
        _put(body, {key: shaped[key] for key in _BODY if key in shaped}, piece.source, notes)
    return body


def _put(body: dict[str, Json], more: Mapping[str, Json], source: str, notes: list[str]) -> None:
    for key, value in more.items():
        if key == "properties" and isinstance(body.get(key), dict) and isinstance(value, dict):
            _put(body[key], value, source, notes)
        elif key in body:
            notes.append(f"left out: {key} of {source}: another file gives it too")
        else:
            body[key] = value


def _listed(value: Json, notes: list[str]) -> Json:
    """With one text made a list of one, where a list is due."""
    if isinstance(value, list):
        return [_listed(item, notes) for item in value]
    if not isinstance(value, dict):
        return value
    result = {}
    for key, item in value.items():
        single = key in _LISTS and isinstance(item, str)
        if single:
            notes.append(f"{key} is one text, {show(item)}; written as the list that it has to be")
        result[key] = [item] if single else _listed(item, notes)
    return result


def _unsaid(pool: Mapping[str, Json]) -> Iterator[str]:
    """Open access that nobody mentions is not managed: easily taken for off."""
    profile = (pool.get("properties") or {}).get("organizationProfile")
    if not isinstance(profile, dict) or profile.get("kind") != "AzureDevOps":
        return
    for one in profile.get("organizations") or ():
        if isinstance(one, dict) and "openAccess" not in one:
            yield f"openAccess of {show(one.get('url'))} is not given, so it is not managed; true or false makes it so"
