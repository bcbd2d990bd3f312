"""The one comment of a pull request that belongs to a mark, on any host."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from reconciler.errors import Forbidden, NotFound, Unavailable


@dataclass(frozen=True, slots=True)
class HostComment:
    """A comment as it was read."""

    path: str
    """Of the comment, below the API's base."""
    text: str
    url: str
    """For people; empty where the host names none."""


def marked(text: object, mark: str) -> bool:
    """Whether the first line is the mark; many workflows write under one name, so the author says nothing."""
    return isinstance(text, str) and (text.splitlines() or [""])[0].strip() == mark


def with_mark(text: str, mark: str, longest: int) -> str:
    """The text below its mark, and not longer than the host takes."""
    whole = text if marked(text, mark) else f"{mark}\n{text}"
    return whole if len(whole) <= longest else f"{whole[: longest - 1]}…"


def put(
    find: Callable[[], Sequence[HostComment]],
    replace: Callable[[HostComment, bool], str],
    create: Callable[[], str],
    keep: Callable[[HostComment], bool],
) -> str:
    """Replace the first comment that can be replaced, or create one; the URL for people, empty where one is kept.

    Every person who may comment can write the mark, so one that this identity may not edit is passed over. What is kept
    is therefore written as it is: nothing else shows that it is no stranger's. A creation whose response got lost is
    looked for before it is repeated. `replace` gets the comment and whether it keeps its text.
    """
    if (url := _replaced(find(), replace, keep)) is not None:
        return url
    try:
        return create()
    except Unavailable:
        if (url := _replaced(find(), replace, keep)) is not None:
            return url
        return create()


def _replaced(
    found: Iterable[HostComment], replace: Callable[[HostComment, bool], str], keep: Callable[[HostComment], bool]
) -> str | None:
    for comment in found:
        kept = keep(comment)
        try:
            url = replace(comment, kept)
        except (Forbidden, NotFound):  # of another author; or deleted meanwhile
            continue
        return "" if kept else url
    return None
