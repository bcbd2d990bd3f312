"""The audit log of an organization, read from a moment on: a faster hint than the stream's half hour.

`GET {endpoint}/{organization}/_apis/audit/auditlog` pages by a continuation token. The published example wraps the
list in `value`, the schema does not: both are read. Its host is not that of pools, so this has a session, and with it
an allow-list, of its own. Source: vsts-rest-api-specs, audit 7.2; Microsoft Learn, "Audit Log -
Query" (scope vso.auditlog; the permission "View audit log" for an identity).
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from itertools import islice

from reconciler.adapters.boundary import port
from reconciler.adapters.devops.pages import Page, PagedList, pages
from reconciler.adapters.devops.responses import DevOpsResponse
from reconciler.adapters.devops.session import Session
from reconciler.adapters.shapes import flag_or_none, shown, text_of
from reconciler.documents import Json, moment, moment_of
from reconciler.errors import Unavailable

PAGE = 200
PAGES = 25
"""Most pages of one read. They come newest first, so what lies beyond them is never read: the read then says that it
was cut, and the caller has to assume that everything changed."""

_AGAIN = timedelta(seconds=2)
_EVER = datetime(2000, 1, 1, tzinfo=UTC)


@port("Azure DevOps audit log", "entries")
class DevOpsAuditLog:
    """Reads audit logs; implements `reconciler.service.triggers.context.AuditLog`."""

    def __init__(self, session: Session) -> None:
        """`session` has the audit host as its Azure DevOps endpoint."""
        self._session = session

    def entries(self, organization: str, cursor: str) -> tuple[list[Json], str, bool]:
        """Entries after a cursor (at first a moment, ISO 8601), oldest first, the next cursor, and whether it was cut.

        The last seconds are read again, since entries of one moment may become visible one after the other; the
        cursor carries the ids that were returned already.
        """
        since, _, given = cursor.partition("|")
        seen = set(given.split("|")) if given else set()
        found, cut = self._since(organization, since)
        entries = [entry for entry in found if _id(entry) not in seen]
        moments = [when for entry in entries if (when := _when(entry)) is not None]
        begin = max([_parsed(since) or _EVER, *(when - _AGAIN for when in moments)])
        late = {_id(entry) for entry in entries if (when := _when(entry)) is not None and when >= begin}
        kept = sorted(late | (seen if begin == _parsed(since) else set()))
        return entries, "|".join([moment(begin), *kept]), cut

    def _since(self, organization: str, moment: str) -> tuple[list[Json], bool]:
        parameters: dict[str, str | int | None] = {
            "startTime": moment,
            "batchSize": PAGE,
            "skipAggregation": "true",
            "api-version": "7.1-preview.1",
        }
        read = partial(_page, organization)
        wanted = PagedList(organization, "_apis/audit/auditlog", "audit-log", "audit log", parameters, read=read)
        found: dict[str, Json] = {}
        cut = False
        for page in islice(pages(self._session, wanted), PAGES):
            cut = page.token is not None
            for entry in page.entries:
                found.setdefault(_id(entry), entry)
        return sorted(found.values(), key=lambda entry: _when(entry) or _EVER), cut


def _page(organization: str, response: DevOpsResponse) -> Page:
    body = response.document
    body = body.get("value", body) if isinstance(body, dict) else None
    entries = body.get("decoratedAuditLogEntries", []) if isinstance(body, dict) else None
    where = f"organization {organization}: GET audit log"
    if not isinstance(body, dict) or not isinstance(entries, list):
        raise Unavailable(f"{where}: the response contains no entries")
    if not all(isinstance(entry, dict) for entry in entries):
        raise Unavailable(f"{where}: an entry of the response is no object")
    more = flag_or_none(body, "hasMore", where)
    return Page(entries, text_of(body, "continuationToken", where) if more else None)


def _id(entry: Json) -> str:
    """What tells entries apart, also where one came without its id. Never with the mark that parts a cursor."""
    return (shown(entry, "id") or sha256(json.dumps(entry, sort_keys=True).encode()).hexdigest()).replace("|", "")


def _when(entry: Json) -> datetime | None:
    return _parsed(str(entry.get("timestamp")))


def _parsed(text: str) -> datetime | None:
    """A moment; one without a zone is in UTC."""
    return moment_of(text) or moment_of(f"{text}Z")
