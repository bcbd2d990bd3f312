"""`reconciler.inspection.Enquirer` on the session: one GET, and what was answered, refusals included.

The method is written here and is no parameter; the session beneath is made to refuse every other one as well, so what
holds this object has nothing to write with.
"""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.adapters.session import Session
from reconciler.adapters.session_endpoints import query
from reconciler.adapters.session_wire import Call
from reconciler.inspection import Heard

_RATES = ("x-ratelimit-", "retry-after")


class DevOpsEnquiry:
    """Implements `reconciler.inspection.Enquirer`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, organization: str, path: str, asked: Mapping[str, str | int]) -> Heard:
        """GET; of the headers those of the rate limit alone."""
        url = self._session.endpoints.url(organization, path + query(asked))
        answer = self._session.ask(Call(organization, "GET", url, "probe", path.rpartition("/_apis/")[2]))
        rates = {name: value for name, value in answer.headers.items() if name.startswith(_RATES)}
        return Heard(answer.status, rates, answer.document)
