"""The azure-devops package's clients by organization, opened at first use; their errors become ours.

Kept apart from `reconciler.adapters.devops.package` so that importing the adapter does not import the package.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any

from reconciler.adapters import lazy_imports
from reconciler.adapters.devops.responses import DevOpsResponse
from reconciler.adapters.devops.session import Session
from reconciler.errors import ReconcilerError, Rejected, Unavailable

if TYPE_CHECKING:
    from reconciler.adapters.devops.package import SessionTransport

_AT_IDENTITY = frozenset({"identity", "graph"})


class Clients:
    """All clients of one organization, as attributes: ``clients.task_agent.get_agent_pools()``."""

    def __init__(self, session: Session, organization: str) -> None:
        lazy_imports.load()
        from reconciler.adapters.devops.package import SessionTransport  # noqa: PLC0415 - heavy, and not needed to start

        self.wire: SessionTransport = SessionTransport(session, organization)
        self._session = session
        self._organization = organization
        self._open: dict[str, Any] = {}
        self._lock = Lock()

    @property
    def response(self) -> DevOpsResponse:
        """The last one in this thread as it came, with the fields that the package's models drop."""
        return self.wire.response

    def __getattr__(self, kind: str) -> Any:
        """The client of the package's module with this name. Never named like an attribute above."""
        if kind.startswith("_"):
            raise AttributeError(kind)
        with self._lock:
            if kind not in self._open:
                self._open[kind] = self._opened(kind)
            return self._open[kind]

    def _opened(self, kind: str) -> Any:
        from reconciler.adapters.devops.package import client  # noqa: PLC0415 - heavy, and not needed to start

        return client(kind, self._session.endpoints.url(self._organization, identity=kind in _AT_IDENTITY), self.wire)


class Package:
    """Clients of all organizations; safe to share between threads."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lock = Lock()
        self._organizations: dict[str, Clients] = {}

    @contextmanager
    def calls(self, organization: str, route: str, what: str) -> Iterator[Clients]:
        """Calls of the package about one thing; `route` and `what` are those of `OutgoingRequest`.

        Errors of the session pass. A response that the package cannot read is `Unavailable`; a call that it cannot
        form, because the organization's table of routes lacks it, is `Rejected`.
        """
        clients = self._clients(organization.lower())
        where = f"organization {organization}: {what}"
        clients.wire.about(route, what)
        try:
            yield clients
        except ReconcilerError:
            raise
        except Exception as error:  # noqa: BLE001 - the package raises whatever a response leads it to
            if isinstance(error, ValueError) and clients.wire.answered is False:
                raise Rejected(
                    f"{where}: the organization does not offer this route ({type(error).__name__})"
                ) from None
            raise Unavailable(
                f"{where}: the response does not have its documented form ({type(error).__name__})"
            ) from None

    def _clients(self, organization: str) -> Clients:
        self._session.endpoints.url(organization)  # refuses an invalid name before it becomes a key
        with self._lock:
            if organization not in self._organizations:
                self._organizations[organization] = Clients(self._session, organization)
            return self._organizations[organization]
