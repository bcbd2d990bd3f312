"""What Azure Storage answers is judged by status and header: bodies of errors never reach the SDK."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from reconciler.adapters.azure_storage.account import Account, Storage
from reconciler.adapters.boundary import ESCAPED
from reconciler.errors import Forbidden, LeaseHeld, ReconcilerError, Rejected, Throttled, Unavailable
from reconciler.safety.documents import SafetyDocuments
from tests.adapters.loopback import Answer, Asked, Script, serving
from tests.examples import crossed

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


@pytest.mark.soaked
@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("call", CALLS)
def test_the_status_decides_whatever_the_body(script: Script, stores: Storage, call: str, body: str) -> None:
    for (status, error), kind in crossed(STATUSES.items(), KINDS, one_of=len(KINDS)):
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


MESSAGE = {
    "MessageId": "1",
    "InsertionTime": "Sat, 28 Nov 2026 12:00:00 GMT",
    "ExpirationTime": "Sat, 05 Dec 2026 12:00:00 GMT",
    "PopReceipt": "r",
    "TimeNextVisible": "Sat, 28 Nov 2026 12:05:00 GMT",
    "DequeueCount": "1",
    "MessageText": "ZmFicmlrYW0=",
}
BLOB = {
    "Name": "pools/a",
    "Properties": "<Content-Length>7</Content-Length><Etag>e</Etag><BlobType>BlockBlob</BlobType>",
}
XML = {"Content-Type": "application/xml"}


def xml(parts: dict[str, str], *around: str) -> bytes:
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in parts.items())
    for name in reversed(around):
        inner = f"<{name}>{inner}</{name}>"
    return inner.encode()


@pytest.mark.parametrize("value", [None, "", "nonsense", "-1", "<x/>"])
@pytest.mark.parametrize("name", MESSAGE)
def test_one_wrong_element_of_a_message(script: Script, stores: Storage, name: str, value: str | None) -> None:
    """It is taken whole, or not at all: and never a dead letter because an answer was bad."""
    parts = {key: one for key, one in {**MESSAGE, name: value}.items() if one is not None}
    script.say(*[Answer(200, xml(parts, "QueueMessagesList", "QueueMessage"), XML)] * 3)

    with suppress(Unavailable):
        (message,) = stores.queue.take(1, 30)
        assert message.receipt.split(" ") == [message.id, parts["PopReceipt"]]
        assert message.inserted.tzinfo is not None
    assert all("poison" not in asked.path for asked in script.asked)


@pytest.mark.parametrize(
    "blob",
    [
        {"Name": "pools/a"},
        {"Properties": BLOB["Properties"]},
        {"Name": "pools/a", "Properties": ""},
        {"Name": "pools/a", "Properties": "<Content-Length></Content-Length>"},
        {"Name": "pools/a", "Properties": "<Content-Length>nonsense</Content-Length>"},
        {"Name": "", "Properties": BLOB["Properties"]},
        {},
    ],
)
def test_a_blob_without_name_or_size_is_no_missing_document(
    script: Script, stores: Storage, blob: dict[str, str]
) -> None:
    body = xml(blob, "EnumerationResults", "Blobs", "Blob")
    script.say(*[Answer(200, body, XML)] * 3)

    with pytest.raises(Unavailable):
        stores.state.names("pools/")


def test_a_blob_that_is_listed_twice_is_one(script: Script, stores: Storage) -> None:
    one = xml(BLOB, "Blob").decode()
    script.say(Answer(200, f"<EnumerationResults><Blobs>{one}{one}</Blobs></EnumerationResults>".encode(), XML))

    assert stores.state.names("pools/") == ["pools/a"]


@pytest.mark.parametrize("call", ["load", "save", "acquire", "length"])
def test_an_answer_without_its_header_is_none(script: Script, stores: Storage, call: str) -> None:
    """ETag, lease id, number of messages: `None` of the SDK would be taken for a tag or for an empty queue."""
    script.say(*[Answer(201 if call in {"save", "acquire"} else 200, b"{}", {})] * 3)

    with pytest.raises(Unavailable, match=rf"has no|{ESCAPED}"):
        CALLS[call](stores)


@pytest.mark.parametrize("call", ["create", "change"])
def test_a_store_that_always_refuses_is_not_asked_for_ever(script: Script, stores: Storage, call: str) -> None:
    """Another writer may be faster again and again, but then the document is another one than before."""

    def answer(asked: Asked) -> Answer:
        if asked.method == "PUT":
            return Answer(409, b"", {"x-ms-error-code": "LeaseAlreadyPresent"})
        if asked.method == "HEAD":
            return Answer(200, b"", {"ETag": '"1"', "Last-Modified": "Sun, 29 Nov 2026 12:00:00 GMT"})
        return Answer(404, b"", {"x-ms-error-code": "BlobNotFound"})

    script.say(*[answer] * 60)
    documents = SafetyDocuments(stores.safety)

    with pytest.raises(LeaseHeld):
        documents.create() if call == "create" else documents.change("mode", lambda body: body)
    assert sum(one.method == "PUT" for one in script.asked) <= 4, (
        "two attempts, each of which looks whether a lease is in its way"
    )
