"""Files to specs: every problem of every file at once, and a bad file never hides a good one.

Order of work for one document: compose (`quick`, else `source`), bring to ARM's shape (`shapes`), check types and forms
(`document`, `body`), check rules (`rules`, `access`) and warnings (`cautions`), build (`build`). Where something is
found, the document is read by `source` and shaped once more, noting where each part came from, so that a message points
at the line that a person wrote; a document without findings pays nothing for that.
"""

from __future__ import annotations

import gc
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from pydantic import ValidationError

from reconciler.documents import JsonObject
from reconciler.spec import access, build, cautions, findings, quick, rest, rules, shapes
from reconciler.spec.document import adapter
from reconciler.spec.model import Spec
from reconciler.spec.problem import MOST_PROBLEMS, Finding, Problem, spell
from reconciler.spec.source import DocumentLines, Position, Unreadable, YamlDocument, documents

SUFFIXES = (".yaml", ".yml", ".json")
_NAMED = 4
"""Files of the same pool that a problem names at most."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the files gave, sorted: specs by key, problems by file and line."""

    specs: tuple[Spec, ...] = ()
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    """What deserves a look and keeps no spec from being used."""


@dataclass(slots=True)
class _Batch:
    specs: list[Spec] = field(default_factory=list)
    lines: list[DocumentLines] = field(default_factory=list)
    """Where the parts of each of them stand."""
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def add(self, other: _Batch) -> None:
        """Append what another one has."""
        self.specs += other.specs
        self.lines += other.lines
        self.problems += other.problems
        self.warnings += other.warnings

    def take(self, document: JsonObject, path: str, lines: DocumentLines) -> None:
        """One more spec, of a document without findings."""
        data = lines.content
        blob = hashlib.sha1(b"blob %d\0%b" % (len(data), data), usedforsecurity=False).hexdigest()
        self.specs.append(build.spec(document, path, blob, lines))
        self.lines.append(lines)


def load(files: Mapping[str, bytes]) -> Loaded:
    """Specs and problems of all `.yaml`, `.yml` and `.json` files, given by path below the prefix."""
    return Loader().load(files)


class Loader:
    """Loads repeatedly, and parses only files that changed since the last time. Not for several threads at once."""

    def __init__(self) -> None:
        self.parsed = 0
        """Files that were parsed so far."""
        self._known: dict[str, tuple[bytes, _Batch]] = {}

    def load(self, files: Mapping[str, bytes]) -> Loaded:
        """As the function `load`."""
        whole, read = _Batch(), {}
        with _without_collector():
            for path in sorted(files):
                if path.lower().endswith(SUFFIXES):
                    read[path] = self._file(path, files[path])
                    whole.add(read[path][1])
            self._known = read
            return _loaded(whole)

    def _file(self, path: str, data: bytes) -> tuple[bytes, _Batch]:
        known = self._known.get(path)
        if known is not None and known[0] == data:
            return known
        self.parsed += 1
        batch = _Batch()
        _file(path, data, batch)
        return data, batch


_LOADED = count()
"""Loads of this process that ended."""


@contextmanager
def _without_collector() -> Iterator[None]:
    """Without the collector of cycles, which finds none here and walks over all the specs that stay, again and again.

    It is the process's: where two threads load at once, it is on again when the first of them is done.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            if not next(_LOADED) and not gc.get_freeze_count():
                # All that is young counts as old from here: else the collector walks over the specs at once after all.
                # Once a process: garbage that is young then stays until old objects are collected, which may be never.
                gc.freeze()
                gc.unfreeze()
            gc.enable()


def _loaded(batch: _Batch) -> Loaded:
    specs = _unique(batch)
    return Loaded(
        tuple(sorted(specs, key=lambda spec: spec.key)), tuple(sorted(batch.problems)), tuple(sorted(batch.warnings))
    )


def _file(path: str, data: bytes, batch: _Batch) -> None:
    if (value := quick.mapping_of(data)) is not None:
        checked = check(value)
        if checked.clean:
            batch.take(checked.document, path, DocumentLines(data))
            return
    try:
        found = documents(data)
    except Unreadable as error:
        place = error.place
        batch.problems.append(Problem(path, place.line, spell(error.path), error.message, place.column))
        return
    if not found:
        batch.problems.append(Problem(path, 1, "", "holds no spec; write one, or delete the file"))
    for number, document in enumerate(found):
        _document(path, document, batch, DocumentLines(data, number))


def _document(path: str, document: YamlDocument, batch: _Batch, lines: DocumentLines) -> None:
    if not isinstance(document.value, dict):
        kind = findings.kind_of(document.value)
        message = f"is {kind}; a spec is a mapping that begins with apiVersion: reconciler/v1"
        document.findings.append((document.start, (), message))
    else:
        checked = check(document.value)
        for where, message in checked.in_file(document.value):
            document.findings.append((document.place(where), where, message))
        for where, message in checked.warnings_in_file(document.value):
            place = document.place(where)
            batch.warnings.append(Problem(path, place.line, spell(where), message, place.column))
        if not document.findings:
            batch.take(checked.document, path, lines)
            return
    batch.problems += _told(path, document)


def _told(path: str, document: YamlDocument) -> list[Problem]:
    reported = [
        Problem(path, place.line, spell(where), message, place.column)
        for place, where, message in document.findings[:MOST_PROBLEMS]
    ]
    if (more := len(document.findings) - MOST_PROBLEMS) > 0:
        reported.append(Problem(path, document.start.line, "", f"has {more} more problems; fix these first"))
    return reported


@dataclass(frozen=True, slots=True)
class CheckedDocument:
    """A document with its pool in canonical shape, and what is wrong with it."""

    document: dict[str, Any]
    findings: Sequence[Finding] = ()
    """By paths of the canonical document."""
    misshapen: bool = False
    warnings: Sequence[Finding] = ()

    @property
    def clean(self) -> bool:
        """Whether there is nothing to say, so that no place is asked for."""
        return not (self.findings or self.misshapen or self.warnings)

    def in_file(self, value: Mapping[str, Any]) -> Iterator[Finding]:
        """All findings by paths of the file: its pool is shaped once more, noting where each part came from."""
        if not self.findings and not self.misshapen:
            return
        shaping, found = _traced(value, self.findings)
        yield from shaping.findings
        yield from found

    def warnings_in_file(self, value: Mapping[str, Any]) -> Iterator[Finding]:
        """All warnings by paths of the file."""
        if self.warnings:
            yield from _traced(value, self.warnings)[1]


def _traced(value: Mapping[str, Any], found: Sequence[Finding]) -> tuple[shapes.Shaping, list[Finding]]:
    """The findings by paths of the file, and what shaping itself found."""
    trace: shapes.Trace = {}
    shaping = shapes.Shaping(trace=trace)
    pool = shaping.pool(value["pool"], ("pool",)) if isinstance(value.get("pool"), dict) else {}
    return shaping, [
        (shapes.source_path(trace, pool, where[1:], ("pool",)) if where[:1] == ("pool",) else where, message)
        for where, message in found
    ]


def check(value: Mapping[str, Any]) -> CheckedDocument:
    """Every check of one document: shape, types and forms, rules."""
    shaping = shapes.Shaping()
    document = dict(value)
    if isinstance(value.get("pool"), dict):
        document["pool"] = shaping.pool(value["pool"], ("pool",))
    try:
        adapter().validator.validate_python(document)
    except ValidationError as error:
        found = list(findings.translate(error, document))
        version = document.get("armApiVersion")
        newer = findings.unknown_fields(error, document, version) if isinstance(version, str) else {}
        found = [(where, message) for where, message in found if where not in newer]
        broken = rest.tree(where for where, _ in found)
        whole = rest.without(document, broken)
        found += _despite(whole, broken)
        warnings = (*newer.items(), *cautions.check(whole))
        return CheckedDocument(document, found, bool(shaping.findings), warnings)
    found = [*rules.check(document), *access.check(document, pool_known=True)]
    return CheckedDocument(document, found, bool(shaping.findings), tuple(cautions.check(document)))


def _despite(whole: Mapping[str, Any], broken: rest.Tree) -> list[Finding]:
    """What the rules say of the rest, with the broken parts taken out."""
    known = not rest.holds(broken, ("pool", "properties", "organizationProfile")) and "properties" in whole.get(
        "pool", {}
    )
    found = [*rules.check(whole), *access.check(whole, pool_known=known)]
    return [(where, message) for where, message in found if not rest.holds(broken, where)]


def _unique(batch: _Batch) -> list[Spec]:
    """The specs whose names are theirs alone; the others are problems, each naming the others."""
    often = Counter(spec.key for spec in batch.specs)
    if len(often) == len(batch.specs):
        return batch.specs
    by_key: dict[str, list[tuple[Spec, Position]]] = defaultdict(list)
    for spec, lines in zip(batch.specs, batch.lines, strict=True):
        if often[spec.key] > 1:
            by_key[spec.key].append((spec, lines.document().place(("name",))))
    for same in by_key.values():
        for index, (spec, place) in enumerate(same):
            first = [f"{one.path}:{at.line}" for i, (one, at) in enumerate(same[:_NAMED]) if i != index]
            others = ", ".join(first) + (", …" if len(same) > _NAMED else "")
            message = f"is {spec.name}, as in {others}; pool names are unique in all of Azure"
            batch.problems.append(Problem(spec.path, place.line, "name", message, place.column))
    return [spec for spec in batch.specs if often[spec.key] == 1]
