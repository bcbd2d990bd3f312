"""Remarks at a line of a file, as the two hosts' pipelines read them out of a step's output.

::

    ::error file=specs/web.yaml,line=7,col=3,title=…::…                             GitHub Actions
    ##vso[task.logissue type=error;sourcepath=specs/web.yaml;linenumber=7;columnnumber=3]…   Azure Pipelines

No text can end a command or begin another one: each passes `clean`, then the host's own escapes. Sources: GitHub,
"Workflow commands for GitHub Actions", and actions/toolkit, packages/core/src/command.ts (escapeData, escapeProperty);
Microsoft, azure-pipelines-agent, docs and Command.cs (``%AZP25`` for a percent sign); GitHub shows ten annotations of
each kind for a step.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from reconciler.plan.render.clean import clean

MOST = 10
"""Of each kind, on GitHub: a further one is not shown."""
_LONGEST = 2_000


class AnnotationKind(StrEnum):
    """How much an annotation matters, most first."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class Annotation:
    """One remark."""

    kind: AnnotationKind
    path: str
    """Below the root of the repository; empty: it belongs to no file."""
    line: int
    """From 1; 0: not known."""
    title: str
    message: str
    column: int = 0


def github(found: Sequence[Annotation]) -> Iterator[str]:
    """Workflow commands, the most important first; above the host's limit the last one of a kind says how many."""
    for one in _limited(found):
        places = {"file": one.path, "line": _number(one.line), "col": _number(one.column) if one.line else ""}
        given = {**(places if one.path else {}), "title": one.title}
        pairs = ",".join(f"{name}={_github(text, property_=True)}" for name, text in given.items() if text)
        yield f"::{one.kind.value} {pairs}::{_github(one.message)}"


def azure_pipelines(found: Sequence[Annotation]) -> Iterator[str]:
    """Logging commands, the most important first. There is no third kind: notices are warnings."""
    for one in sorted(found, key=lambda each: list(AnnotationKind).index(each.kind)):
        kind = AnnotationKind.ERROR if one.kind is AnnotationKind.ERROR else AnnotationKind.WARNING
        places = {"sourcepath": one.path, "linenumber": _number(one.line)}
        places |= {"columnnumber": _number(one.column) if one.line else ""}
        pairs = "".join(f";{name}={_azure(text, property_=True)}" for name, text in places.items() if text and one.path)
        yield f"##vso[task.logissue type={kind.value}{pairs}]{_azure(f'{one.title}: {one.message}')}"


def azure_summary(path: str) -> str:
    """The command that shows a Markdown file in the run's summary."""
    return f"##vso[task.uploadsummary]{_azure(path)}"


def _limited(found: Sequence[Annotation]) -> Iterator[Annotation]:
    numbers = Counter(one.kind for one in found)
    for kind in AnnotationKind:
        of_kind = [one for one in found if one.kind is kind]
        if numbers[kind] <= MOST:
            yield from of_kind
            continue
        yield from of_kind[: MOST - 1]
        more = numbers[kind] - MOST + 1
        yield Annotation(kind, "", 0, f"{more} more", f"{more} more of this kind: see the summary of the run")


def _number(given: int) -> str:
    return str(given) if given > 0 else ""


def _github(text: str, *, property_: bool = False) -> str:
    pairs = [("%", "%25"), ("\r", "%0D"), ("\n", "%0A")]
    return _replaced(text, [*pairs, (":", "%3A"), (",", "%2C")] if property_ else pairs)


def _azure(text: str, *, property_: bool = False) -> str:
    pairs = [("%", "%AZP25"), ("\r", "%0D"), ("\n", "%0A")]
    return _replaced(text, [*pairs, (";", "%3B"), ("]", "%5D")] if property_ else pairs)


def _replaced(text: str, pairs: Sequence[tuple[str, str]]) -> str:
    shown = clean(text)[:_LONGEST]
    for character, escape in pairs:
        shown = shown.replace(character, escape)
    return shown
