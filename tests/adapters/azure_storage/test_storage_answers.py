"""What Azure Storage answers is judged by status and header: bodies of errors never reach the SDK."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from reconciler.adapters.azure_storage.account import Account, Storage
from reconciler.adapters.boundary import ESCAPED
from reconciler.errors import Forbidden, LeaseHeld, ReconcilerError, Rejected, Throttled, Unavailable
from tests.adapters.loopback import Answer, Script, serving

KEY = "Zm9yIGxvb3BiYWNrIGFsb25l"
BODIES = {
    "JSON without message": b'{"error": {"code": "AuthorizationFailure"}}',
    "JSON, error is a text": b'{"error": "no"}',
    "JSON, null": b"null",
    "JSON, list": b"[1]",
    "JSON, half": b'{"error": ',
    "XML without message": b"<Error><Code>AuthorizationFailure</Code></Error>",
    "XML, half": b"<Error>",
    "HTML": b"<html><body>sign in</body></html>",
    "bytes": b"\xff\xfe\x00",
    "nothing": b"",
}
KINDS = ("application/json", "application/xml", "text/html", "application/octet-stream", "nonsense")
STATUSES: dict[int, type[ReconcilerError]] = {
    400: Rejected,
    401: Forbidden,
    403: Forbidden,
    409: LeaseHeld,
    412: LeaseHeld,
    429: Throttled,
}
CALLS: dict[str, Callable[[Storage], object]] = {
    "load": lambda stores: stores.state.load("pools/a"),
    "save": lambda stores: stores.state.save("pools/a", {}, "etag"),
    "names": lambda stores: stores.state.names("pools/"),
    "acquire": lambda stores: stores.leases.acquire("a", 60),
    "put": lambda stores: stores.queue.put("a"),
    "take": lambda stores: stores.queue.take(1, 30),
    "length": lambda stores: stores.queue.length(),
}


@pytest.fixture
def script() -> Iterator[Script]:
    with serving() as server:
        yield server


@pytest.fixture
def stores(script: Script) -> Iterator[Storage]:
    ends = f"BlobEndpoint={script.url}/acc;QueueEndpoint={script.url}/acc"
    made = Storage(Account(f"AccountName=acc;AccountKey={KEY};{ends}"), allow_loopback=True)
    yield made
    made.close()


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("call", CALLS)
def test_the_status_decides_whatever_the_body(script: Script, stores: Storage, call: str, body: str) -> None:
    for status, error in STATUSES.items():
        for kind in KINDS:
            script.answers.clear()
            script.say(*[Answer(status, BODIES[body], {"Content-Type": kind})] * 3)

            with pytest.raises(error) as raised:
                CALLS[call](stores)
            assert ESCAPED not in str(raised.value), (status, kind)


@pytest.mark.parametrize("body", [BODIES[name] for name in BODIES if name != "nothing"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_list_that_cannot_be_read_is_no_empty_list(script: Script, stores: Storage, body: bytes, kind: str) -> None:
    script.say(*[Answer(200, body, {"Content-Type": kind})] * 3)

    with pytest.raises(Unavailable):
        stores.state.names("pools/")


@pytest.mark.parametrize("body", [BODIES[name] for name in BODIES if name != "nothing"])
@pytest.mark.parametrize("kind", KINDS)
def test_messages_that_cannot_be_read_are_none_or_an_error_that_passes(
    script: Script, stores: Storage, body: bytes, kind: str
) -> None:
    """XML of another kind has no messages in it, and the next request asks again."""
    script.say(*[Answer(200, body, {"Content-Type": kind})] * 3)

    with suppress(Unavailable):
        assert stores.queue.take(1, 30) == []
