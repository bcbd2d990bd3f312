"""The audit log of an organization, read from a moment on: a faster hint than the stream's half hour.

`GET {endpoint}/{organization}/_apis/audit/auditlog` pages by a continuation token. The published example wraps the
answer in `value`, the schema does not: both are read. Its host is another one than that of pools, so this has a
session, and with it an allow-list, of its own. Source: vsts-rest-api-specs, audit 7.2; Microsoft Learn, "Audit Log -
Query" (scope vso.auditlog; the permission "View audit log" for an identity).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from reconciler.adapters.devops.endpoints import query
from reconciler.adapters.devops.exchange import OutgoingRequest
from reconciler.adapters.devops.session import Session
from reconciler.documents import Json, moment, moment_of
from reconciler.errors import Unavailable

PAGE = 200
PAGES = 25
"""Pages that one look reads at most. They come newest first, so what lies beyond them is never read: a look says when
it was cut, and whoever asked has to suppose that everything changed."""

_AGAIN = timedelta(seconds=2)
_EVER = datetime(2000, 1, 1, tzinfo=UTC)


class DevOpsAuditLog:
    """Reads audit logs; implements `reconciler.service.triggers.context.AuditLog`."""

    def __init__(self, session: Session) -> None:
        """`session` has the audit host as its Azure DevOps endpoint."""
        self._session = session

    def entries(self, organization: str, cursor: str) -> tuple[list[Json], str, bool]:
        """Entries after a cursor (at first a moment, ISO 8601), oldest first, the next cursor, and whether it was cut.

        The last seconds are asked for again, since entries of one moment may become visible one after the other; the
        cursor carries the ids that were given out already.
        """
        since, _, given = cursor.partition("|")
        seen = set(given.split("|")) if given else set()
        found, cut = self._since(organization, since)
        entries = [entry for entry in found if str(entry.get("id")) not in seen]
        moments = [when for entry in entries if (when := _when(entry)) is not None]
        begin = max([_parsed(since) or _EVER, *(when - _AGAIN for when in moments)])
        late = {str(entry.get("id")) for entry in entries if (when := _when(entry)) is not None and when >= begin}
        kept = sorted(late | (seen if begin == _parsed(since) else set()))
        return entries, "|".join([moment(begin), *kept]), cut

    def _since(self, organization: str, since: str) -> tuple[list[Json], bool]:
        found: dict[str, Json] = {}
        token: str | None = None
        for _ in range(PAGES):
            page = self._page(organization, since, token)
            for entry in page.get("decoratedAuditLogEntries") or ():
                found.setdefault(str(entry.get("id")), entry)
            token = page.get("continuationToken")
            if not page.get("hasMore") or not token:
                cut = False
                break
        else:
            cut = True
        return sorted(found.values(), key=lambda entry: _when(entry) or _EVER), cut

    def _page(self, organization: str, since: str, token: str | None) -> dict[str, Json]:
        path = "_apis/audit/auditlog" + query(
            {
                "startTime": since,
                "batchSize": PAGE,
                "continuationToken": token,
                "skipAggregation": "true",
                "api-version": "7.1-preview.1",
            }
        )
        url = self._session.endpoints.url(organization, path)
        body = self._session.rest(OutgoingRequest(organization, "GET", url, "audit-log", "audit log")).document
        body = body.get("value", body) if isinstance(body, dict) else None
        if not isinstance(body, dict) or not isinstance(body.get("decoratedAuditLogEntries", []), list):
            raise Unavailable(f"organization {organization}: GET audit log: the answer holds no entries")
        return body


def _when(entry: Json) -> datetime | None:
    return _parsed(str(entry.get("timestamp")))


def _parsed(text: str) -> datetime | None:
    """A moment; one without a zone is in UTC."""
    return moment_of(text) or moment_of(f"{text}Z")
