"""Pieces to drafts of specs: parts of one pool are put together, and every key of a piece is accounted for.

A key of a piece is in the spec, or named as left out, or named as no part of a spec: what the service sets by itself,
and what says which resource it is. Null means absent (Microsoft Learn: Bicep data types).
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.documents import Json
from reconciler.documents.spelling import bare
from reconciler.errors import SpecInvalid
from reconciler.spec.findings import homes
from reconciler.spec.problem import Path, show, spell
from reconciler.spec.shapes import Shaping, Trace, kebab_names, source_path
from reconciler.tools.convert.piece import KIND, LeftOut, Piece
from reconciler.tools.spec_writer import Draft, settled

_IDENTIFYING = frozenset(
    {
        *("id", "resourceGroup", "subscriptionId", "etag", "changedTime", "createdTime"),
        *("dependsOn", "comments", "metadata", "scope", "parent"),
    }
)
"""Keys of a resource that say which one it is or when it is deployed; a spec says that in its own words."""

_RECOGNIZED = frozenset({"type", "apiVersion"})
"""Keys by which a pool was recognized."""

_AUTHORS = frozenset({"tags", "userassignedidentities", "daysdata"})
"""Objects whose keys are the author's own, so that null is not an absent field."""

_LISTS = frozenset({"projects", "users", "groups", "observedCertificates", "aliases", "repositories"})
"""Where samples and people write one text for a list of one: the page on security calls `users` «a single email
address or a list» (Microsoft Learn: managed-devops-pools/configure-security)."""


@dataclass(frozen=True, slots=True)
class ConvertOptions:
    """What files of these forms do not have."""

    subscription: str
    resource_group: str
    name: str = ""
    """For parts, and for a template of one pool whose name is an expression."""
    location: str = ""
    mode: str = "report"


def drafts(found: Sequence[Piece], options: ConvertOptions) -> list[Draft]:
    """One draft for each pool; all parts together are one more, or belong to the only pool."""
    whole = [piece for piece in found if piece.whole]
    parts = [piece for piece in found if not piece.whole]
    if len(whole) > 1 and parts:
        raise SpecInvalid(f"{parts[0].source}: is a part of a pool, and there are {len(whole)} pools; convert it alone")
    if len(whole) > 1 and options.name:
        raise SpecInvalid(f"name: {options.name} was given, but there are {len(whole)} pools")
    groups = [[one] for one in whole] if whole else []
    if parts:
        groups = [[*(groups[0] if groups else []), *parts]]
    made = [_draft(group, options) for group in groups]
    names = [str(draft.document["name"]).casefold() for draft in made]
    for name in names:
        if names.count(name) > 1:
            raise SpecInvalid(f"name: {show(name)} is the name of {names.count(name)} pools; convert them one by one")
    return made


def _draft(group: Sequence[Piece], options: ConvertOptions) -> Draft:
    lost = [one for piece in group for one in piece.left_out]
    name = options.name or next((piece.name for piece in group if piece.name), "")
    if not name:
        unnamed = next((f" ({one})" for one in lost if one.path == ("name",)), "")
        raise SpecInvalid(f"{group[0].source}: does not say the pool's name{unnamed}; give it by --name")
    body = _Body()
    for piece in group:
        body.add(piece, options)
        if piece.name not in ("", name):
            body.notes.append(f"{piece.source}: name is {show(piece.name)}; {show(name)} is written")
    pool = body.pool
    if options.location:
        if pool.get("location", options.location) != options.location:
            body.notes.append(f"location is {show(pool['location'])}; {show(options.location)} is written")
        pool["location"] = options.location
    document = {
        "apiVersion": "reconciler/v1",
        "kind": "ManagedDevOpsPool",
        "name": name,
        "subscription": options.subscription,
        "resourceGroup": options.resource_group,
        "mode": options.mode,
        "pool": _listed(pool, body.notes),
    }
    draft = Draft(document)
    for one in (*lost, *body.left_out):
        _name_left_out(draft, one, options)
    for note in (*body.notes, *_unmanaged(pool)):
        draft.note(("pool",), note)
    return settled(draft, body.where_is)


def _name_left_out(draft: Draft, one: LeftOut, options: ConvertOptions) -> None:
    """Name a part that is left out; a note where the spec is complete without it."""
    if one.path == ("name",) or (one.path == ("location",) and options.location):
        draft.note(("pool",), f"{one}; --{one.path[0]} is written")
    elif one.path and one.path[0] in _IDENTIFYING | _RECOGNIZED:
        draft.note(("pool",), f"{one.where}: not written, part of no spec: {one.path[0]}")
    else:
        draft.leave_out(("pool",), str(one))


class _Body:
    """The pool of all pieces; of what two of them say, the first is written."""

    def __init__(self) -> None:
        self.pool: dict[str, Json] = {}
        self.left_out: list[LeftOut] = []
        self.notes: list[str] = []
        self._owners: dict[Path, tuple[Piece, dict[str, Json], Trace]] = {}
        """Path of a part of the pool → the piece that gave it, its canonical body, and where that comes from."""

    def where_is(self, path: Path) -> str:
        """File and line of a part of the document, with a colon; empty where no file gave it."""
        part = path[1:]
        owner = self._owners.get(part[:2]) or self._owners.get(part[:1])
        if owner is None:
            return ""
        piece, shaped, trace = owner
        return f"{piece.place(source_path(trace, shaped, part, ()))}: "

    def add(self, piece: Piece, options: ConvertOptions) -> None:
        """Put in what a piece has."""
        unknown: list[Path] = []
        given_body = _without_nulls(piece.body, (), unknown)
        trace: Trace = {}
        shaping = Shaping(trace=trace)
        shaped = shaping.pool(given_body, ())
        kept = {path[:length] for path in _kept(shaped, trace) for length in range(1, len(path) + 1)}
        reasons = {path: message for path, message in shaping.findings if path not in kept}
        self.left_out += [LeftOut(path, piece.source, message) for path, message in reasons.items()]
        service = [path for path in _dropped(given_body, (), kept) if path not in reasons]
        others = self._identifying(piece, shaped, options)
        for words, names in (
            ("set by the service", [spell(path) for path in service]),
            ("part of no spec", others),
            ("null", [spell(path) for path in unknown]),
        ):
            if names:
                self.notes.append(f"{piece.source}: not written, {words}: {', '.join(names)}")
        self._put(self.pool, shaped, (), (piece, shaped, trace))

    def _identifying(self, piece: Piece, shaped: dict[str, Json], options: ConvertOptions) -> list[str]:
        """Take out the keys that say which resource it is; those that contradict what was given are left out."""
        steps = str(shaped.get("id", "")).split("/")
        found = dict(zip([step.casefold() for step in steps[1::2]], steps[2::2], strict=False))
        for words, said, written in (
            ("resource group", shaped.get("resourceGroup") or found.get("resourcegroups"), options.resource_group),
            ("subscription", found.get("subscriptions"), options.subscription),
        ):
            if isinstance(said, str) and said.casefold() != written.casefold():
                self.notes.append(f"{piece.source}: is in {words} {show(said)}; {show(written)} is written")
        for key in _RECOGNIZED & shaped.keys():
            if not isinstance(shaped[key], str) or (key == "type" and shaped[key].casefold() != KIND):
                self.left_out.append(LeftOut((key,), piece.source, f"is {show(shaped[key])}"))
            del shaped[key]
        names = [key for key in shaped if key in _IDENTIFYING]
        for key in names:
            del shaped[key]
        return names

    def _put(
        self, body: dict[str, Json], more: Mapping[str, Json], path: Path, owner: tuple[Piece, dict[str, Json], Trace]
    ) -> None:
        for key, value in more.items():
            here = (*path, key)
            if key == "properties" and not path and isinstance(value, dict):
                into = body.setdefault(key, {})
                if isinstance(into, dict):
                    self._put(into, value, here, owner)
                    continue
            if key in body:
                self.left_out.append(LeftOut(here, owner[0].source, "another file gives it too"))
            else:
                body[key] = value
                self._owners[here] = owner


def _without_nulls(value: Json, path: Path, unknown: list[Path]) -> Json:
    """Without fields that are null; those with names that no spec has are listed, and entries of lists stay."""
    if isinstance(value, list):
        return [_without_nulls(item, (*path, index), unknown) for index, item in enumerate(value)]
    if not isinstance(value, dict) or any(bare(str(step)) in _AUTHORS for step in path[-1:]):
        return value
    names = kebab_names()
    unknown += [(*path, key) for key, item in value.items() if item is None and names.get(key, key) not in homes()]
    return {key: _without_nulls(item, (*path, key), unknown) for key, item in value.items() if item is not None}


def _kept(shaped: Json, trace: Trace) -> Iterator[Path]:
    """Paths of the piece that are in its canonical body."""
    if isinstance(shaped, dict | list):
        yield from trace.get(id(shaped), {}).values()
        for item in shaped.values() if isinstance(shaped, dict) else shaped:
            yield from _kept(item, trace)


def _dropped(given: Json, path: Path, kept: Container[Path]) -> Iterator[Path]:
    """The outermost paths of a piece of which nothing is in its canonical body; `kept` has every part of a path."""
    steps = given.items() if isinstance(given, dict) else enumerate(given) if isinstance(given, list) else ()
    for step, item in steps:
        here = (*path, step)
        if here in kept:
            yield from _dropped(item, here, kept)
        else:
            yield here


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


def _unmanaged(pool: Mapping[str, Json]) -> Iterator[str]:
    """Open access that is not given is not managed: easily taken for off."""
    properties = pool.get("properties")
    profile = properties.get("organizationProfile") if isinstance(properties, dict) else None
    if not isinstance(profile, dict) or profile.get("kind") != "AzureDevOps":
        return
    given = profile.get("organizations")
    for one in given if isinstance(given, list) else ():
        if isinstance(one, dict) and isinstance(one.get("url"), str) and "openAccess" not in one:
            yield f"openAccess of {show(one['url'])} is not given, so it is not managed; true or false makes it so"
