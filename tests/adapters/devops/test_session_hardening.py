"""A token goes where it was configured to go, and nowhere else, whatever answers say; connections stay few."""

from __future__ import annotations

import ipaddress
import logging
import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from reconciler.adapters.devops.endpoints import Endpoints, segment
from reconciler.adapters.devops.exchange import OutgoingRequest
from reconciler.adapters.devops.package import SessionTransport
from reconciler.adapters.devops.reads import DevOps
from reconciler.adapters.devops.session import Session
from reconciler.errors import Forbidden, ReconcilerError, Refused, Rejected, Unavailable
from tests.adapters.devops.conftest import CANARY, Open
from tests.adapters.devops.scripted import Reply, Scripted, failure, wrapped

POOLS = "/prime/_apis/distributedtask/pools"
PROJECT = "5d1bd2b9-0d2f-4a5e-9a6d-0f3a2c9d7e11"


@pytest.fixture
def elsewhere() -> Iterator[Scripted]:
    """A server that is not configured; it must never be called."""
    scripted = Scripted()
    yield scripted
    scripted.close()


@pytest.fixture
def untrusted(tmp_path: Path) -> Iterator[Scripted]:
    """The service again, behind a certificate for 127.0.0.1 that it made for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = (
        builder.not_valid_before(begin).not_valid_after(begin + timedelta(days=36500)).add_extension(address, False)
    )
    pem = tmp_path / "server.pem"
    pem.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + builder.sign(key, SHA256()).public_bytes(Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    scripted = Scripted(context)
    yield scripted
    scripted.close()


def test_a_certificate_that_nobody_vouches_for_gets_no_token(opened: Open, untrusted: Scripted) -> None:
    session = opened(url=untrusted.url)
    untrusted.reply("GET", "/prime/_apis/thing", wrapped())
    call = OutgoingRequest("prime", "GET", session.endpoints.url("prime", "_apis/thing"), "thing", "thing")

    with pytest.raises(
        Unavailable, match=r"GET thing: certificate of 127\.0\.0\.1: self-signed certificate; name your network's"
    ):
        session.send(call)
    assert untrusted.connections == 1
    assert untrusted.everything == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed_with_or_without_the_package(
    session: Session, reads: DevOps, service: Scripted, elsewhere: Scripted, status: int
) -> None:
    away = Reply(status=status, headers={"Location": f"{elsewhere.url}/prime/_apis/thing"})
    service.reply("GET", POOLS, away)
    service.reply("GET", "/prime/_apis/projects", away)

    for read in (reads.agent_pools, reads.projects):
        with pytest.raises(Forbidden):
            read("prime")
    assert elsewhere.connections == 0


def test_discovery_that_redirects_is_not_followed(reads: DevOps, service: Scripted, elsewhere: Scripted) -> None:
    service.reply("OPTIONS", "/away/_apis", Reply(status=307, headers={"Location": f"{elsewhere.url}/away/_apis"}))

    with pytest.raises(Forbidden, match="organization away: OPTIONS routes: 307"):
        reads.agent_pools("away")
    assert elsewhere.connections == 0


def test_resource_areas_that_point_elsewhere_move_no_token(
    session: Session, service: Scripted, elsewhere: Scripted
) -> None:
    """We never ask for them. Were the package asked to, its requests would still end in our session."""
    from azure.devops.connection import Connection  # noqa: PLC0415 - the environment is prepared by our module first

    area = {"id": "a85b8835-c1a1-4aac-ae97-1c3d0ba72dbd", "name": "distributedtask", "locationUrl": f"{elsewhere.url}/"}
    service.reply("GET", "/moved/_apis/ResourceAreas", wrapped(area))
    wire = SessionTransport(session, "moved")
    wire.about("pools", "agent pools")
    connection = Connection(f"{service.url}/moved", wire)

    with pytest.raises(Rejected, match="no request for it goes"):
        connection.clients_v7_1.get_task_agent_client().get_agent_pools()
    assert [seen.path for seen in service.seen] == ["/moved/_apis/ResourceAreas"]
    assert elsewhere.connections == 0


def test_a_route_template_that_leads_elsewhere_moves_no_token(
    reads: DevOps, service: Scripted, elsewhere: Scripted
) -> None:
    entry = {
        "id": "a8c47e17-4d56-4a56-92bb-de7ea7dc65be",
        "area": "distributedtask",
        "resourceName": "pools",
        "routeTemplate": f"{elsewhere.url}/steal",
        "resourceVersion": 1,
        "minVersion": "1.0",
        "maxVersion": "7.2",
        "releasedVersion": "7.1",
    }
    service.reply("OPTIONS", "/crooked/_apis", wrapped(entry))

    with pytest.raises(Refused, match="is not a configured endpoint of this organization, so it gets no token"):
        reads.agent_pools("crooked")
    assert service.seen == []
    assert elsewhere.connections == 0


@pytest.mark.parametrize(
    "url",
    [
        "{other}/prime/_apis/x",
        "{own}/other/_apis/x",
        "{own}/prime/../other/_apis/x",
        "{own}/prime%2f..%2fother/_apis/x",
        "{own}/primer/_apis/x",
        "{own}/",
        "https://127.0.0.1/prime/_apis/x",
        "http://127.0.0.1:1/prime/_apis/x",
        "http://user@{bare}/prime/_apis/x",
        "http://{bare}@127.0.0.1:1/prime/_apis/x",
        "http://127.0.0.1:1\\@{bare}/prime/_apis/x",
        "http://app.vssps.visualstudio.com/prime/_apis/x",
    ],
)
def test_a_url_beside_the_organizations_own_gets_no_token(
    session: Session, service: Scripted, elsewhere: Scripted, url: str
) -> None:
    bare = service.url.removeprefix("http://")
    call = OutgoingRequest(
        "prime", "GET", url.format(own=service.url, other=elsewhere.url, bare=bare), "thing", "thing"
    )

    with pytest.raises(Refused, match=r"GET thing: host .* is not a configured endpoint"):
        session.send(call)
    assert service.everything == []
    assert elsewhere.connections == 0


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("http://dev.azure.com", "would travel unencrypted"),
        ("ftp://dev.azure.com", "use https, or http on loopback"),
        ("https://user:secret@dev.azure.com", "neither a user nor a query"),
        ("https://dev.azure.com/?x=secret", "neither a user nor a query"),
        ("dev.azure.com", "neither a user nor a query"),
        ("https://[secret", "neither a user nor a query"),
        ("https://dev.azure.com:99999", "neither a user nor a query"),
        ("http://127.0.0.1:8080", "loopback is for trials only"),
        ("https://localhost", "loopback is for trials only"),
        ("https://[::1]:8443", "loopback is for trials only"),
    ],
)
def test_an_endpoint_that_no_token_may_be_sent_to_is_refused(url: str, text: str) -> None:
    with pytest.raises(Refused, match=text) as caught:
        Endpoints(devops=url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_a_segment_that_climbs_is_refused(value: str) -> None:
    with pytest.raises(Refused, match="part of a URL"):
        segment(value)


def test_a_segment_stays_one_segment() -> None:
    assert segment("a/b?c=d#e") == "a%2Fb%3Fc%3Dd%23e"


def test_cookies_and_netrc_change_nothing(
    session: Session, service: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By itself requests would send both, and let .netrc replace the Authorization header."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login mallory password stolen\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    service.reply("GET", "/prime/_apis/thing", Reply(wrapped(), headers={"Set-Cookie": "a=b; Path=/"}))
    call = OutgoingRequest("prime", "GET", session.endpoints.url("prime", "_apis/thing"), "thing", "thing")
    for _ in range(2):
        session.send(call)

    assert {seen.headers["authorization"] for seen in service.seen} == {f"Bearer {CANARY}"}
    assert not any("cookie" in seen.headers for seen in service.seen)


def test_500_calls_with_faults_between_them_need_few_connections(
    session: Session, reads: DevOps, service: Scripted
) -> None:
    """The package by itself opens a connection a thread, and a new one after every error answer."""
    good, bad = wrapped(), Reply(failure("AccessDeniedException", "no"), status=403)
    service.reply("GET", POOLS, *([good, good, good, bad] * 200))
    service.reply("GET", f"/prime/{PROJECT}/_apis/distributedtask/queues", *([bad, Reply(status=404), good] * 200))
    failed = threading.Semaphore(0)

    def read(number: int) -> None:
        try:
            reads.agent_pools("prime") if number % 2 else reads.queues("prime", PROJECT, [7])
        except ReconcilerError:
            failed.release()

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(read, range(500)))
    assert len(service.seen) == 500
    assert failed.acquire(blocking=False)
    assert service.connections <= 8


def test_many_threads_that_begin_together_discover_once(session: Session, service: Scripted) -> None:
    service.reply("GET", "/crowd/_apis/distributedtask/pools", wrapped())
    reads = DevOps(session)
    with ThreadPoolExecutor(12) as threads:
        list(threads.map(lambda _: reads.agent_pools("crowd"), range(12)))

    assert [seen.path for seen in service.everything if seen.method == "OPTIONS"] == ["/crowd/_apis"]


def test_no_log_holds_a_token(
    session: Session, reads: DevOps, service: Scripted, caplog: pytest.LogCaptureFixture
) -> None:
    """Also at the most talkative level, and also where the service echoes it."""
    caplog.set_level(logging.DEBUG)
    service.reply("GET", POOLS, Reply(failure("X", f"your token was {CANARY}"), status=400), wrapped())
    with pytest.raises(Rejected) as caught:
        reads.agent_pools("prime")
    reads.agent_pools("prime")

    assert CANARY not in caplog.text
    assert CANARY not in str(caught.value)
    assert CANARY not in repr((session, reads, caught.value, vars(session)))


def test_a_home_that_cannot_be_written_does_not_matter(tmp_path: Path) -> None:
    """The package makes a folder below HOME when it is imported; with us it makes no file at all."""
    home = tmp_path / "file"
    home.write_text("no folder")
    code = (
        "import os, sys; before = dict(os.environ); import reconciler.adapters.devops\n"
        "assert 'azure.devops' not in sys.modules and 'msrest' not in sys.modules, 'imported too early'\n"
        "import reconciler.adapters.devops.package; assert dict(os.environ) == before, 'environment changed'\n"
    )
    root = Path(__file__).parents[3]
    environment = {**os.environ, "HOME": str(home / "sub"), "TMPDIR": str(tmp_path)}
    environment.pop("AZURE_DEVOPS_CACHE_DIR", None)
    done = subprocess.run([sys.executable, "-c", code], cwd=root, env=environment, capture_output=True, check=False)

    assert done.returncode == 0, done.stderr.decode()
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
