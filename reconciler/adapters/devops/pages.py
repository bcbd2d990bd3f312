"""Lists that come in pages: the next page is named by a header, which the azure-devops package drops.

A list that does not come to its end is an error and never a short list.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reconciler.adapters.devops.endpoints import query
from reconciler.adapters.devops.exchange import OutgoingRequest
from reconciler.adapters.devops.forms import entries
from reconciler.adapters.devops.session import Session
from reconciler.documents import Json
from reconciler.errors import Unavailable

_PAGES = 1000


@dataclass(frozen=True, slots=True)
class Paged:
    """One list: where it is, and how it is asked for."""

    organization: str
    path: str
    route: str
    what: str
    asked: Mapping[str, str | int | None]
    """The query besides the place of the page; the api-version is part of it."""
    required: tuple[str, ...] = ()
    """Texts that each entry has."""
    size: int = 0
    """`$top`; 0 where the list takes none."""
    skips: bool = False
    """Whether a full page without a token is doubted, and the next one asked for by `$skip`."""
    identity: bool = False
    """Whether it is on the host of identities."""


def pages(session: Session, of: Paged) -> Iterator[list[Json]]:
    """Page after page. `Unavailable` where they do not come to an end."""
    token: str | None = None
    seen = 0
    for _ in range(_PAGES):
        skip = seen if of.skips and seen and token is None else None
        place: dict[str, str | int | None] = {"$top": of.size or None, "$skip": skip, "continuationToken": token}
        url = session.endpoints.url(of.organization, of.path + query({**of.asked, **place}), identity=of.identity)
        answer = session.send(OutgoingRequest(of.organization, "GET", url, of.route, of.what))
        page = entries(answer, of.organization, of.what, *of.required)
        yield page
        seen += len(page)
        before, token = token, answer.headers.get("x-ms-continuationtoken") or None
        if token is None and not (of.skips and len(page) >= of.size):
            return
        if token is not None and token == before:
            break
    raise Unavailable(f"organization {of.organization}: {of.what}: the pages do not come to an end")
