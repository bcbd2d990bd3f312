"""Lists in pages: the only loop over pages of Azure DevOps.

Plain REST, since the azure-devops package drops the header that names the next page. A list that does not end is an
error and never a short list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from reconciler.adapters.devops.endpoints import query
from reconciler.adapters.devops.exchange import OutgoingRequest
from reconciler.adapters.devops.forms import rows
from reconciler.adapters.devops.responses import DevOpsResponse
from reconciler.adapters.devops.session import Session
from reconciler.adapters.shapes import distinct
from reconciler.documents import Json
from reconciler.errors import Unavailable

MOST_PAGES = 1000


class Page(NamedTuple):
    """One page of a list."""

    entries: list[Json]
    token: str | None
    """Continuation token of the next page; None where this is the last one."""


@dataclass(frozen=True, slots=True)
class PagedList:
    """Where a list is, and how it is requested."""

    organization: str
    path: str
    route: str
    what: str
    parameters: Mapping[str, str | int | None]
    """The query without the position of the page; the api-version is part of it.

    Build definitions need `queryOrder` here: the service rejects a continuation token without it (github/gh-gei 1220:
    «Continuation token timestamp without query order is ambiguous»).
    """
    required: tuple[str, ...] = ()
    """Text fields that each entry has."""
    size: int = 0
    """`$top`; 0 where the list takes none."""
    skips: bool = False
    """Whether a full page without a token may hide a next one, which `$skip` then requests."""
    identity: bool = False
    """Whether the list is on the host of identities."""
    read: Callable[[DevOpsResponse], Page] | None = None
    """Reads a page that has another form than ``{"value": []}`` and a token in the header."""


def pages(session: Session, wanted: PagedList) -> Iterator[Page]:
    """Page after page. `Unavailable` where they do not end."""
    token: str | None = None
    before: list[Json] = []
    count = 0
    for _ in range(MOST_PAGES):
        skip = count if wanted.skips and count and token is None else None
        position: dict[str, str | int | None] = {"$top": wanted.size or None, "$skip": skip, "continuationToken": token}
        path = wanted.path + query({**wanted.parameters, **position})
        url = session.endpoints.url(wanted.organization, path, identity=wanted.identity)
        response = session.send(OutgoingRequest(wanted.organization, "GET", url, wanted.route, wanted.what))
        page = wanted.read(response) if wanted.read else _page(response, wanted)
        yield page
        count += len(page.entries)
        if page.token is None and not (wanted.skips and len(page.entries) >= wanted.size):
            return
        # Page after page of the same entries, each with another token, would be read a thousand times.
        if (page.token is not None and page.token == token) or (page.entries and page.entries == before):
            break
        token, before = page.token, page.entries
    raise Unavailable(
        f"organization {wanted.organization}: {wanted.what}: pagination did not end: "
        f"a page or its token repeats, or there are more than {MOST_PAGES} pages"
    )


def listed(session: Session, wanted: PagedList) -> Iterator[Json]:
    """The entries of all pages."""
    for page in pages(session, wanted):
        yield from distinct(page.entries, f"organization {wanted.organization}: {wanted.what}")


def _page(response: DevOpsResponse, wanted: PagedList) -> Page:
    found = rows(response, wanted.organization, wanted.what, *wanted.required)
    return Page(found, response.headers.get("x-ms-continuationtoken") or None)
