"""Where the storage token may go: accounts of Microsoft's clouds, loopback where allowed, and hosts that a setting names."""

from __future__ import annotations

import pytest

from reconciler.adapters.azure_storage.account import Account, Storage
from reconciler.config.endpoints import STORAGE_DOMAINS, storage_endpoints, storage_problem
from reconciler.config.settings import Settings, SettingsInvalid
from reconciler.config.triggers import state
from reconciler.errors import Refused

KEY = "Y2FuYXJ5LWtleQ=="
FURTHER = frozenset({"storage.fabrikam.example"})

ACCOUNTS = (
    *[f"fabrikam.{{}}.{domain}" for domain in STORAGE_DOMAINS],
    "fabrikam-secondary.{}.core.windows.net",
    "FABRIKAM.{}.Core.Windows.Net",
    "fabrikam.z01.{}.storage.azure.net",
    "fabrikam.z50.{}.storage.azure.net",
    "fabrikam.{}.core.windows.net:443",
    "fabrikam.{}.core.windows.net/",
    "storage.fabrikam.example",
    "storage.fabrikam.example:8443/account",
)
LOOKALIKES = (
    "evil.example",
    "fabrikam.{}.core.windows.net.evil.example",
    "fabrikam.{}.core.windows.net.",
    "fabrikam-{}.core.windows.net",
    "fabrikam.{}.core.windows.net.co",
    "fabrikam.{}xcore.windows.net",
    "fabrikam.{}.core-windows.net",
    "fabrikam.{}.corexwindows.net",
    "{}.core.windows.net",
    ".{}.core.windows.net",
    "a.b.{}.core.windows.net",
    "evil.example/fabrikam.{}.core.windows.net",
    "evil.example:443/https://fabrikam.{}.core.windows.net",
    "evil.example?fabrikam.{}.core.windows.net",
    "evil.example#fabrikam.{}.core.windows.net",
    "evil.example\\.{}.core.windows.net",
    "evil.example\\@fabrikam.{}.core.windows.net",
    "evil.example%2f.{}.core.windows.net",
    "evil.example%00.{}.core.windows.net",
    "fabrikam.{}.core.windows.net@evil.example",
    "fabrikam.{}.core.windows.net:x@evil.example",
    "ann:canary@fabrikam.{}.core.windows.net",
    "canary@fabrikam.{}.core.windows.net",
    "fabrikam.{}.core.windows.net\t.evil.example",
    "fabrikam.{}.core.windows.net:99999",
    "fabrikam.{}.core.windows.net?sv=2025&sig=canary",
    "fabrikam.{}.core.windows.net#canary",
    "fabrikam.{}.core.windows.net/container",
    "fabr\u0131kam.{}.core.windows.net",
    "fabrikam.{}.\u0441\u043ere.windows.net",
    "fabrikam.{}.core.windows.net\u3002evil.example",
    "fabrikam.z01.{}.storage.azure.net.evil.example",
    "fabrikam.evil.{}.storage.azure.net",
    "fabrikam.{}.storage.azure.net",
    "storage.fabrikam.example.evil.example",
    "xstorage.fabrikam.example",
    "sub.storage.fabrikam.example",
    "169.254.169.254",
    "10.0.0.4",
    "0x7f000001",
    "[::ffff:10.0.0.4]",
    "[oops",
    "",
)
OTHER = {"blob": "queue", "queue": "blob"}
services = pytest.mark.parametrize("service", ["blob", "queue"])


@services
@pytest.mark.parametrize("place", ACCOUNTS)
def test_an_account_gets_its_token_over_https_alone(service: str, place: str) -> None:
    host = place.format(service)

    assert storage_problem(f"https://{host}", service, FURTHER, loopback=False) == ""
    assert storage_problem(f"http://{host}", service, FURTHER, loopback=True) != ""


@services
@pytest.mark.parametrize("place", [place for place in ACCOUNTS if "{}" in place])
def test_the_service_is_part_of_the_host(service: str, place: str) -> None:
    """A token for blobs is one for queues too, but an address of another service is a slip."""
    assert storage_problem(f"https://{place.format(OTHER[service])}", service, frozenset(), loopback=False)
    assert storage_problem(f"https://{place.format('file')}", service, frozenset(), loopback=False)


@services
@pytest.mark.parametrize("place", LOOKALIKES)
def test_what_only_reads_like_an_account_gets_no_token(service: str, place: str) -> None:
    """By the settings, and again by the store, which is the last place before the network."""
    url = f"https://{place.format(service)}"
    problem = storage_problem(url, service, FURTHER, loopback=True)
    urls = {"blob": "https://fabrikam.blob.core.windows.net", "queue": "https://fabrikam.queue.core.windows.net"}
    urls[service] = url

    assert problem
    assert "canary" not in problem
    assert "\n" not in problem
    with pytest.raises(Refused) as caught:
        Storage(Account(blob_url=urls["blob"], queue_url=urls["queue"]), allow_loopback=True, further=FURTHER)
    assert "canary" not in str(caught.value)


@services
@pytest.mark.parametrize("host", ["127.0.0.1:10000", "localhost:10000", "[::1]:10000"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_loopback_is_a_place_where_it_is_allowed(service: str, host: str, scheme: str) -> None:
    """The emulator of storage, whose accounts are paths."""
    url = f"{scheme}://{host}/account"

    assert storage_problem(url, service, frozenset(), loopback=True) == ""
    assert "RECONCILER_ALLOW_LOOPBACK=1" in storage_problem(url, service, frozenset(), loopback=False)


@pytest.mark.parametrize(
    ("value", "endpoints"),
    [
        ("state.db", {}),
        ("/srv/a=b/state.db", {}),
        (
            "https://fabrikam.blob.core.windows.net",
            {"blob": "https://fabrikam.blob.core.windows.net", "queue": "https://fabrikam.queue.core.windows.net"},
        ),
        ("https://a.example  https://b.example", {"blob": "https://a.example", "queue": "https://b.example"}),
        (
            f"AccountName=fabrikam;AccountKey={KEY}",
            {"blob": "https://fabrikam.blob.core.windows.net", "queue": "https://fabrikam.queue.core.windows.net"},
        ),
        (
            f"DefaultEndpointsProtocol=http;accountname=fabrikam;AccountKey={KEY};EndpointSuffix=evil.example",
            {"blob": "http://fabrikam.blob.evil.example", "queue": "http://fabrikam.queue.evil.example"},
        ),
        (
            f"AccountName=fabrikam;AccountKey={KEY};QueueEndpoint=https://evil.example/",
            {"blob": "https://fabrikam.blob.core.windows.net", "queue": "https://evil.example/"},
        ),
        ("BlobEndpoint=https://evil.example;SharedAccessSignature=sig", {"blob": "https://evil.example"}),
    ],
)
def test_the_endpoints_of_a_setting_are_known_before_a_client_is_made(value: str, endpoints: dict[str, str]) -> None:
    assert storage_endpoints(value) == endpoints


@pytest.mark.parametrize(
    "value",
    [
        "https://evil.example",
        "https://fabrikam.blob.core.windows.net https://evil.example",
        "https://evil.example https://fabrikam.queue.core.windows.net",
        "HTTPS://EVIL.example",
        f"AccountName=fabrikam;AccountKey={KEY};BlobEndpoint=https://evil.example/",
        f"AccountName=fabrikam;AccountKey={KEY};EndpointSuffix=evil.example",
        f"AccountName=fabrikam;AccountKey={KEY};DefaultEndpointsProtocol=http",
        f"AccountName=evil.example/;AccountKey={KEY}",
        "BlobEndpoint=https://evil.example;SharedAccessSignature=canary",
    ],
)
def test_a_setting_with_a_foreign_host_is_one_line_without_its_secrets(value: str) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        Settings.read({"RECONCILER_STATE": value})

    (problem,) = caught.value.problems
    assert problem.startswith("RECONCILER_STATE: the ")
    assert "RECONCILER_STORAGE_HOSTS" in problem
    assert KEY not in problem
    assert "canary" not in problem


@pytest.mark.parametrize(
    "given",
    [
        {"RECONCILER_STORAGE": f"AccountName=fabrikam;AccountKey={KEY};EndpointSuffix=evil.example"},
        {
            "RECONCILER_STORAGE__blobServiceUri": "https://evil.example",
            "RECONCILER_STORAGE__queueServiceUri": "https://fabrikam.queue.core.windows.net",
        },
        {"RECONCILER_STORAGE__accountName": "evil.example/x"},
    ],
)
def test_the_account_of_the_bindings_has_the_same_list(given: dict[str, str]) -> None:
    with pytest.raises(SettingsInvalid, match="RECONCILER_STATE: the blob endpoint on "):
        Settings.read(given, beneath=state(given))


def test_further_hosts_are_named_exactly() -> None:
    given = {
        "RECONCILER_STATE": "https://blobs.fabrikam.example https://queues.fabrikam.example",
        "RECONCILER_STORAGE_HOSTS": " Blobs.fabrikam.example, queues.fabrikam.example ",
    }

    assert Settings.read(given).storage_hosts == "blobs.fabrikam.example,queues.fabrikam.example"


@pytest.mark.parametrize(
    "hosts", ["*.fabrikam.example", "https://fabrikam.example", "a/b", "fabrikam.example:443", "-a", "a..b", "*", "ä"]
)
def test_a_further_host_that_is_no_name_is_an_error(hosts: str) -> None:
    with pytest.raises(SettingsInvalid, match=r"RECONCILER_STORAGE_HOSTS: .* is no host name"):
        Settings.read({"RECONCILER_STORAGE_HOSTS": hosts})
