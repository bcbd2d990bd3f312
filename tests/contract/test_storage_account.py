"""What only Azure Storage has: identities, roles, addresses, messages of others, and bad answers."""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from azure.storage.queue import QueueServiceClient

from reconciler.adapters.azure_storage.account import Account, Names, Storage
from reconciler.errors import Forbidden, NotFound, ReconcilerError, Refused, Rejected, Throttled, Unavailable
from tests.adapters.loopback import Answer, Script, serving
from tests.contract.azurite import KEY, Azurite, Identity, certificate, running


@pytest.fixture
def names() -> Names:
    fresh = f"t{uuid4().hex}"
    return Names(container=fresh, queue=fresh, attempts=3)


@pytest.fixture
def stores(azurite: Azurite, names: Names) -> Iterator[Storage]:
    made = Storage(Account(azurite.connection), names, allow_loopback=True)
    yield made
    made.close()


@pytest.fixture
def script() -> Iterator[Script]:
    with serving() as server:
        yield server


@pytest.fixture
def scripted(script: Script) -> Iterator[Storage]:
    connection = f"AccountName=x;AccountKey={KEY};BlobEndpoint={script.url}/x;QueueEndpoint={script.url}/x;"
    made = Storage(Account(connection), allow_loopback=True)
    yield made
    made.close()


def test_an_identity_opens_state_leases_and_queue(
    tmp_path: Path, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The way it runs in Azure: two addresses, https, and a token for storage alone."""
    cert, key = certificate(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(cert))
    identity = Identity()
    with running(tmp_path, "--oauth", "basic", "--cert", str(cert), "--key", str(key), scheme="https") as emulator:
        account = Account(blob_url=emulator.blob_url, queue_url=emulator.queue_url, credential=identity)
        stores = Storage(account, names, allow_loopback=True)
        lease = stores.leases.acquire("fabrikam", 60)
        etag = stores.state.save("pools/fabrikam", {"n": 1}, None)
        stores.queue.put("fabrikam")
        (message,) = stores.queue.take(1, 60)
        stores.queue.ack(message)
        lease.release()
        found = stores.state.load("pools/fabrikam")
        stores.close()

        wrong = Account(
            blob_url=emulator.blob_url, queue_url=emulator.queue_url, credential=Identity("https://graph.microsoft.com")
        )
        refused = Storage(wrong, names, allow_loopback=True)
        with pytest.raises(Forbidden, match="does it have the role Storage Blob Data Contributor"):
            refused.state.load("pools/fabrikam")
        refused.close()

    assert found is not None
    assert (found.etag, identity.scopes) == (etag, {"https://storage.azure.com/.default"})


def test_a_wrong_key_is_forbidden_and_names_the_role(azurite: Azurite, names: Names) -> None:
    wrong = base64.b64encode(b"wrong" * 8).decode()
    stores = Storage(Account(azurite.connection.replace(KEY, wrong)), names, allow_loopback=True)

    with pytest.raises(Forbidden, match="Storage Queue Data Contributor"):
        stores.queue.put("fabrikam")
    stores.close()


def test_nothing_is_made_where_that_is_switched_off(azurite: Azurite) -> None:
    """Where templates make container and queues, an identity that may not is enough; a missing one is named."""
    names = Names(container=f"t{uuid4().hex}", queue=f"t{uuid4().hex}", create=False)
    stores = Storage(Account(azurite.connection), names, allow_loopback=True)

    for use in (
        lambda: stores.queue.put("a"),
        lambda: stores.queue.take(1, 60),
        lambda: stores.state.save("x", {}, None),
    ):
        with pytest.raises(NotFound, match="Azure Storage answered 404"):
            use()
    assert (stores.queue.length(), stores.state.load("x"), list(stores.state.names(""))) == (0, None, [])
    stores.close()


def test_a_message_that_a_person_put_as_plain_text_is_read_as_it_is(
    azurite: Azurite, stores: Storage, names: Names
) -> None:
    """Whether it makes sense is for the reader to say; it must not stop the good ones."""
    stores.queue.put("fabrikam")
    with QueueServiceClient.from_connection_string(azurite.connection) as service:
        service.get_queue_client(names.queue).send_message("not base64 {")
        texts = {message.text for message in stores.queue.take(32, 60)}

    assert texts == {"fabrikam", "not base64 {"}


def test_a_document_that_is_no_json_is_named(azurite: Azurite, stores: Storage, names: Names) -> None:
    stores.state.save("pools/a", {}, None)
    stores.state._blobs.blob("pools/a").upload_blob(b"{", overwrite=True)

    with pytest.raises(Rejected, match=f"state pools/a: the blob in {names.container} is no JSON"):
        stores.state.load("pools/a")


@pytest.mark.parametrize(
    ("status", "headers", "kind"),
    [
        (403, {"x-ms-error-code": "AuthorizationPermissionMismatch"}, Forbidden),
        (401, {}, Forbidden),
        (400, {"x-ms-error-code": "InvalidHeaderValue"}, Rejected),
        (429, {}, Throttled),
        (302, {"Location": "https://elsewhere.example/"}, Rejected),
    ],
)
def test_each_bad_answer_has_its_kind(
    script: Script, scripted: Storage, status: int, headers: dict[str, str], kind: type[ReconcilerError]
) -> None:
    script.say(*[Answer(status, b"", headers)] * 3)

    with pytest.raises(kind) as caught:
        scripted.state.load("pools/a")
    assert type(caught.value) is kind
    assert headers.get("x-ms-error-code", "") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_key_shows_up_in_an_error_or_a_log(
    script: Script, scripted: Storage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    script.say(Answer(403, f"<Error><Message>{KEY}</Message></Error>".encode(), {"Content-Type": "application/xml"}))

    with pytest.raises(Forbidden) as caught:
        scripted.queue.put("fabrikam")
    assert KEY not in f"{caught.value!r} {caplog.text} {Account(KEY)!r}"


@pytest.mark.parametrize(
    ("account", "message"),
    [
        (Account(), "storage blob endpoint: is not set, and there is no connection string either"),
        (Account(blob_url="https://fabrikam.blob.core.windows.net"), "storage queue endpoint: is not set"),
        (
            Account(blob_url="http://fabrikam.blob.core.windows.net", queue_url="https://y"),
            "net is not https on one of",
        ),
        (Account(blob_url="https://127.0.0.1:1/x", queue_url="https://y"), "loopback"),
    ],
)
def test_an_address_that_must_not_get_a_token_is_refused_at_once(account: Account, message: str) -> None:
    with pytest.raises(Refused, match=message):
        Storage(account)


@pytest.mark.parametrize(
    "connection", ["rubbish", "AccountName=x;AccountKey=eA==;BlobEndpoint=http://x.example/x;QueueEndpoint=http://x/"]
)
def test_a_connection_string_that_makes_no_sense_is_refused_unprinted(connection: str) -> None:
    stores = Storage(Account(connection), allow_loopback=True)

    with pytest.raises(Refused) as caught:
        stores.state.load("pools/a")
    assert connection not in str(caught.value)
    with pytest.raises(Refused):
        stores.queue.put("a")


def test_an_account_that_does_not_answer_is_unavailable(sdk_pauses: list[float]) -> None:
    """Three tries, which end long before a lease does."""
    connection = f"AccountName=x;AccountKey={KEY};BlobEndpoint=http://127.0.0.1:9/x;QueueEndpoint=http://127.0.0.1:9/x;"
    stores = Storage(Account(connection), allow_loopback=True)

    with pytest.raises(Unavailable, match="no whole answer from Azure Storage"):
        stores.queue.put("a")
    stores.close()
    assert sdk_pauses == [2, 2]
