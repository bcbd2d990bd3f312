"""Every transport behind one call, and a company's network around it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from azure.core.credentials import AccessToken

from reconciler.adapters import credentials, network
from reconciler.adapters.arm.pools import Arm
from reconciler.adapters.azure_storage.account import Account, Storage
from reconciler.adapters.devops.endpoints import Endpoints
from reconciler.adapters.devops.exchange import OutgoingRequest
from reconciler.adapters.devops.session import Session
from reconciler.adapters.devops.throttling import Timing
from reconciler.adapters.git.location import Location, RemoteAccess
from reconciler.adapters.git.snapshots import Caps
from reconciler.adapters.git.source import bearer
from reconciler.adapters.git.wire import RemoteRepository
from tests.adapters.arm.arm_kit import POOL_ID
from tests.adapters.company import Authority, Proxy
from tests.adapters.devops.scripted import FakeTime
from tests.adapters.loopback import Script

TOKEN = "canary-token-for-services"
VARIABLES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", *network.CA_VARIABLES)


class Tokens:
    """A credential whose tokens are canaries."""

    def get_token(self, *_: str, **__: object) -> AccessToken:
        return AccessToken(TOKEN, 4_000_000_000)


def _arm(url: str) -> None:
    Arm(url, Tokens(), allow_loopback=True).pool(POOL_ID)


def _devops(url: str) -> None:
    time = FakeTime()
    credential = credentials.EntraCredential("test", Tokens)
    session = Session(
        credential,
        Endpoints(url, url, allow_loopback=True),
        timing=Timing(time.sleep, time.clock, time.clock, lambda: 0.5),
    )
    try:
        session.send(OutgoingRequest("prime", "GET", session.endpoints.url("prime", "_apis/thing"), "thing", "thing"))
    finally:
        session.close()


def _git(url: str) -> None:
    location = Location.parse(f"{url}/fabrikam/specs.git")
    repository = RemoteRepository(location, Caps(), RemoteAccess(bearer(lambda: TOKEN), allow_loopback=True))
    try:
        repository.head()
    finally:
        repository.close()


def _storage(url: str) -> Storage:
    blobs, queues = url.replace(".queue.", ".blob."), url.replace(".blob.", ".queue.")
    account = Account(blob_url=blobs, queue_url=queues, credential=Tokens())
    return Storage(account, allow_loopback=True, further=frozenset({"blobs.invalid", "queues.invalid"}))


def _blobs(url: str) -> None:
    stores = _storage(url)
    try:
        stores.state.load("pools/fabrikam")
    finally:
        stores.close()


def _queues(url: str) -> None:
    stores = _storage(url)
    try:
        stores.queue.put("fabrikam")
    finally:
        stores.close()


@dataclass(frozen=True)
class Transport:
    """One of the transports, and a host that it calls."""

    name: str
    call: Callable[[str], None]
    host: str


TRANSPORTS = (
    Transport("arm", _arm, "management.azure.com"),
    Transport("devops", _devops, "dev.azure.com"),
    Transport("git", _git, "github.com"),
    Transport("blobs", _blobs, "fabrikam.blob.core.windows.net"),
    Transport("queues", _queues, "fabrikam.queue.core.windows.net"),
)
HOSTS = tuple(one.host for one in TRANSPORTS)
each = pytest.mark.parametrize("transport", TRANSPORTS, ids=[one.name for one in TRANSPORTS])


@dataclass
class Company:
    """What surrounds the transport."""

    service: Script
    """The host behind the proxy."""
    proxy: Proxy
    authority: Authority
    setenv: Callable[..., None]
    """Set variables of the environment."""

    def tokens(self) -> set[str]:
        """The Authorization headers that arrived."""
        return {asked.headers.get("Authorization", "") for asked in self.service.asked}
