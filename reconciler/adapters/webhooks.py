"""Sends notices: one POST within a bound of time and size, no redirect followed, nothing of the address in an error.

What a receiver answers decides by its status alone: 2xx is accepted; 408, 425, 429 and 5xx may pass; any other is a
rejection, which a retry does not change. Slack rejects with 400 (``invalid_blocks``, ``invalid_payload``), 403, 404
and 410 (Slack, "Sending messages using incoming webhooks", Handling errors); a Teams workflow accepts with 202.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from http import HTTPStatus

from reconciler.adapters import bounds, network
from reconciler.adapters.boundary import port
from reconciler.adapters.retry_after import retry_after
from reconciler.errors import Refused
from reconciler.ports.notices import Delivery, NoticeSender, OutgoingMessage

SECONDS = 10.0
"""For one message, whatever its receiver does."""
BYTES = 64 * 1024
"""Of a response, which is not read further."""
PASSING = frozenset({408, 425, 429})
_silent: ContextVar[bool] = ContextVar("silent", default=False)


class _NoPath(logging.Filter):
    """urllib3 logs the path of each request at level DEBUG; here it is a secret."""

    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002 - as the base has it
        return not _silent.get()


for _name in ("urllib3.connectionpool", "urllib3.util.retry", "urllib3.connection"):
    logging.getLogger(_name).addFilter(_NoPath())


@contextmanager
def _unlogged() -> Iterator[None]:
    """Nothing that this thread exchanges in the block is logged by packages."""
    token = _silent.set(True)
    try:
        yield
    finally:
        _silent.reset(token)


@port("notice receivers", NoticeSender)
class WebhookSender:
    """Sends over HTTP (`reconciler.ports.notices.NoticeSender`)."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC), seconds: float = SECONDS) -> None:
        self._now = now
        self._seconds = seconds

    def send(self, message: OutgoingMessage) -> Delivery:
        """Send it once."""
        try:
            with _unlogged(), bounds.within(self._seconds, BYTES), network.session() as session:
                response = session.post(
                    message.url, data=message.body, headers=dict(message.headers), allow_redirects=False,
                    timeout=(self._seconds, self._seconds),
                )  # fmt: skip
                return self._judged(response.status_code, dict(response.headers))
        except bounds.Exceeded as error:
            return Delivery(accepted=False, why=str(error))
        except Refused as error:  # the environment names no usable proxy or certificate authorities
            return Delivery(accepted=False, why=str(error))
        except network.ERRORS as error:
            found = network.no_response(error, message.url)
            return Delivery(accepted=False, why=found.why, passing=found.passing)

    def _judged(self, status: int, headers: dict[str, str]) -> Delivery:
        if 200 <= status < 300:  # noqa: PLR2004 - HTTP's own numbers
            return Delivery(accepted=True)
        passing = status in PASSING or status >= 500  # noqa: PLR2004
        if 300 <= status < 400:  # noqa: PLR2004
            return Delivery(accepted=False, why=f"status {status}: redirects are not followed", passing=False)
        known = next((f" {one.phrase}" for one in HTTPStatus if one.value == status), "")
        wait = retry_after(headers, self._now()) if passing else None
        return Delivery(accepted=False, why=f"status {status}{known}", passing=passing, retry_after=wait)
