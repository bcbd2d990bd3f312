"""Clients of Azure Storage, bounded in time and tries, and what its refusals mean. Heavy: imported on first use."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError, ResourceExistsError
from azure.storage.blob import BlobServiceClient, ExponentialRetry
from azure.storage.queue import QueueServiceClient

from reconciler.adapters import bounds, network
from reconciler.adapters.boundary import escapes
from reconciler.documents.redaction import oneline
from reconciler.errors import Forbidden, LeaseHeld, NotFound, ReconcilerError, Refused, Rejected, Throttled, Unavailable

T = TypeVar("T")

CONNECT_SECONDS = 5
READ_SECONDS = 10
"""Between two pieces of an answer."""
CALL_SECONDS = 25.0
"""For one operation with all its tries. A lease of 60 s that is renewed at 20 s then still holds when that ended."""

CALL_BYTES = 40 * bounds.MEGABYTE
"""Of one response: the SDK reads a blob in parts of 32 MiB at most."""

# One line at INFO for each request, with its address: more than the rest of a run together.
logging.getLogger("azure.core.pipeline.policies.http_logging_policy").setLevel(logging.WARNING)


class StorageRetry(ExponentialRetry):
    """Retries short faults; not what only another proxy or certificate authority can change."""

    def increment(self, settings: Any, request: Any, response: Any = None, error: Any = None) -> bool:
        """Whether to try again."""
        if isinstance(error, AzureError) and not network.no_response(error).passing:
            return False
        return super().increment(settings, request, response, error)


def options() -> dict[str, Any]:
    """What both clients are made with: three tries at most, 4 s of sleep in all, no redirects."""
    return {
        "retry_policy": StorageRetry(initial_backoff=1, increment_base=1, retry_total=2, random_jitter_range=0),
        "transport": network.azure_transport(CONNECT_SECONDS, READ_SECONDS, error_bodies=False),
        "permit_redirects": False,
    }


def blobs(connection: str, url: str, credential: Any) -> BlobServiceClient:
    """The account's blob service."""
    with _read_connection():
        if connection:
            return BlobServiceClient.from_connection_string(connection, **options())
        return BlobServiceClient(url, credential=credential, **options())


def queues(connection: str, url: str, credential: Any) -> QueueServiceClient:
    """The account's queue service."""
    with _read_connection():
        if connection:
            return QueueServiceClient.from_connection_string(connection, **options())
        return QueueServiceClient(url, credential=credential, **options())


@contextmanager
def _read_connection() -> Iterator[None]:
    try:
        yield
    except ValueError:
        raise Refused("storage connection: neither a connection string nor addresses that could be read") from None


@contextmanager
def talking(where: str, role: str) -> Iterator[None]:
    """Turn refusals of the service into our errors; `role` is the one that a missing right asks for.

    Bounds the whole operation. Bodies of errors never reach the SDK, which raises `TypeError` on some: the status and
    the header `x-ms-error-code` say everything that is used.
    """
    with escapes(where), bounds.within(CALL_SECONDS, CALL_BYTES):
        try:
            yield
        except HttpResponseError as problem:
            raise as_error(where, role, problem) from None
        except AzureError as problem:
            why = network.no_response(problem).why
            raise Unavailable(f"{where}: no whole answer from Azure Storage: {why}") from None
        except bounds.Exceeded as problem:
            raise Unavailable(f"{where}: no whole answer from Azure Storage: {problem}") from None


def stated(value: object, where: str, what: str) -> str:
    """A text that an answer must have; the SDK gives None where a header or an element is missing."""
    if not isinstance(value, str) or not value:
        raise Unavailable(f"{where}: Azure Storage's answer has no {what}")
    return value


def made(attempt: Callable[[], T], create: Callable[[], Any] | None) -> T:
    """Do something that needs a container or queue; where it is missing, make it (None: do not) and try again."""
    try:
        return attempt()
    except HttpResponseError as problem:
        if problem.status_code != 404 or create is None:  # noqa: PLR2004 - HTTP's own number
            raise
    with suppress(ResourceExistsError):  # another worker may be faster
        create()
    return attempt()


def as_error(where: str, role: str, problem: HttpResponseError) -> ReconcilerError:
    """By status: the spelling of codes differs between the service and its emulator."""
    status = problem.status_code or 0
    code = getattr(problem, "error_code", None) or ""
    said = f"{status or ''} {oneline(getattr(code, 'value', code), limit=80)}".strip()
    if status in (401, 403) or (not status and isinstance(problem, ClientAuthenticationError)):
        return Forbidden(f"{where}: the identity is not let in ({said or 'no token'}); does it have the role {role}?")
    known = {
        404: NotFound(f"{where}: Azure Storage answered {said}"),
        409: LeaseHeld(f"{where}: another worker holds the lease, or ours was lost ({said})"),
        412: LeaseHeld(f"{where}: another worker has written it, or holds the lease ({said})"),
        429: Throttled(f"{where}: Azure Storage asks for fewer calls ({said})"),
        503: Throttled(f"{where}: Azure Storage asks for fewer calls ({said})"),
    }
    if status in known:
        return known[status]
    if 200 <= status < 300:  # noqa: PLR2004 - HTTP's own numbers
        return Unavailable(f"{where}: Azure Storage answered {status} with a body that cannot be read")
    if status >= 500 or status in (0, 408):  # noqa: PLR2004 - HTTP's own numbers
        return Unavailable(f"{where}: Azure Storage answered {said or 'nothing'}")
    return Rejected(f"{where}: Azure Storage answered {said}")
