"""No answer holds a worker: total time and total size are bounded on every transport, whatever trickles or unfolds."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from reconciler.adapters import bounds, credentials
from reconciler.adapters.arm.pools import Arm, ArmWrites
from reconciler.adapters.azure_storage import wire as storage_wire
from reconciler.adapters.azure_storage.account import Account, Storage
from reconciler.adapters.devops.endpoints import Endpoints
from reconciler.adapters.devops.exchange import CallLimits
from reconciler.adapters.devops.reads import DevOps, DevOpsWrites
from reconciler.adapters.devops.session import Session
from reconciler.adapters.devops.throttling import Timing
from reconciler.adapters.git.location import Location, RemoteAccess
from reconciler.adapters.git.snapshots import Caps
from reconciler.adapters.git.source import Git
from reconciler.adapters.store_limits import LONGEST_LEASE
from reconciler.engine.tenure import RunLimits
from reconciler.errors import Rejected, Unavailable
from tests.adapters.arm.arm_kit import POOL_ID, SUB, Canary, Kit
from tests.adapters.devops.scripted import FakeTime
from tests.adapters.loopback import Answer, serving
from tests.adapters.trickle import STARTS, Watch, trickling

Call = Callable[[str, Watch], object]


class _Clock(Watch):
    def now(self) -> datetime:
        return datetime(2026, 11, 28, tzinfo=UTC)


def _arm(url: str, watch: Watch) -> Arm:
    clock = _Clock()
    clock.monotonic = watch.monotonic  # type: ignore[method-assign]
    return Arm(url, Canary(), allow_loopback=True, clock=clock)


def _session(url: str, watch: Watch) -> Session:
    timing = Timing(FakeTime().sleep, watch.monotonic, time.time, lambda: 0.5)
    return Session(credentials.static("arm", "devops", [url]), Endpoints(url, url, allow_loopback=True), timing=timing)


def _git(url: str, watch: Watch, caps: Caps | None = None) -> Git:
    clock = _Clock()
    clock.monotonic = watch.monotonic  # type: ignore[method-assign]
    location = Location.parse(f"{url}/fabrikam/specs.git")
    return Git(location, access=RemoteAccess(allow_loopback=True, clock=clock), caps=caps)


def _storage(url: str) -> Storage:
    key = "Zm9yIGxvb3BiYWNrIGFsb25l"
    ends = f"BlobEndpoint={url}/acc;QueueEndpoint={url}/acc"
    return Storage(Account(f"AccountName=acc;AccountKey={key};{ends}"), allow_loopback=True)


GIT = "application/x-git-upload-pack-advertisement"
CALLS: dict[str, Call] = {
    "ARM, read": lambda url, watch: _arm(url, watch).pool(POOL_ID),
    "ARM, list": lambda url, watch: _arm(url, watch).pools(SUB),
    "ARM, write": lambda url, watch: ArmWrites(_arm(url, watch)).put(POOL_ID, {"location": "eastus2"}),
    "ARM, deletion": lambda url, watch: ArmWrites(_arm(url, watch)).delete(POOL_ID),
    "Azure DevOps, read": lambda url, watch: DevOps(_session(url, watch)).projects("prime"),
    "Azure DevOps, through the package": lambda url, watch: DevOps(_session(url, watch)).agent_pools("prime"),
    "Azure DevOps, write": lambda url, watch: DevOpsWrites(_session(url, watch)).remove_role("prime", "s", "7", "x"),
    "git": lambda url, watch: _git(url, watch).snapshot(),
}


@pytest.mark.parametrize("what", STARTS)
@pytest.mark.parametrize("call", CALLS)
def test_an_answer_that_trickles_ends_with_the_time_of_its_call(call: str, what: str) -> None:
    """Each byte comes in time, the answer does not. The clock moves with the bytes, and not with the machine."""
    watch = Watch()
    began = watch.monotonic()
    with trickling(what, watch.tick, GIT if call == "git" else "application/json") as server:
        with pytest.raises(Unavailable, match=r"did not end within|not fetched within|no whole answer|no response"):
            CALLS[call](server.url, watch)
        assert server.requests == 1, "it is not tried again: the time is over"
    assert server.ended == 0
    assert watch.monotonic() - began < 10_000


@pytest.mark.parametrize("what", STARTS)
@pytest.mark.parametrize("service", ["state", "leases", "queue", "names"])
def test_an_answer_of_storage_that_trickles_ends_too(service: str, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage_wire, "CALL_SECONDS", 0.5)
    with trickling(what, lambda: None) as server:
        stores = _storage(server.url)
        calls: dict[str, Callable[[], object]] = {
            "state": lambda: stores.state.load("pools/a"),
            "leases": lambda: stores.leases.acquire("a", 60),
            "queue": lambda: stores.queue.put("a"),
            "names": lambda: stores.state.names(""),
        }
        with pytest.raises(Unavailable, match=r"did not end within 0\.5 s"):
            calls[service]()
        stores.close()
    assert server.ended == 0


def test_a_write_ends_while_the_lease_under_which_it_began_still_holds() -> None:
    """A renewal comes before a write alone, so no exchange may outlast what the last renewal left."""
    limits, calls = RunLimits(), CallLimits()

    for seconds in (bounds.WRITE_SECONDS, calls.write):
        assert limits.renew + seconds < min(limits.lease, LONGEST_LEASE)
    assert limits.renew + storage_wire.CALL_SECONDS < min(limits.lease, LONGEST_LEASE)


HUGE = b'{"value": "' + b" " * (storage_wire.CALL_BYTES + 1) + b'"}'


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "unfolds"])
def test_a_body_is_read_up_to_a_limit(packed: bool) -> None:
    body, headers = (gzip.compress(HUGE), {"Content-Encoding": "gzip"}) if packed else (HUGE, {})
    watch = Watch()
    with serving() as script:
        script.say(*[Answer(200, body, headers)] * 9)

        with pytest.raises(Unavailable, match="the response is larger than 33554432 bytes"):
            Kit(script.url).arm.pool(POOL_ID)
        with pytest.raises(Unavailable, match="the response is larger than 33554432 bytes"):
            DevOps(_session(script.url, watch)).projects("prime")
        stores = _storage(script.url)
        with pytest.raises(Unavailable, match="the response is larger than 41943040 bytes"):
            stores.state.load("pools/a")
        stores.close()
        assert len(script.asked) == 3, "what is too large once is so again"


def test_git_is_read_up_to_its_own_limit() -> None:
    with serving() as script:
        script.say(Answer(200, b"0008abc\n" * 400_000, {"Content-Type": GIT}))

        with pytest.raises(Rejected, match="more than 1,000,000 bytes to fetch"):
            _git(script.url, Watch(), Caps(fetch_bytes=1_000_000)).snapshot()


def test_a_write_does_not_wait_for_a_slot_longer_than_its_own_time() -> None:
    """Four reads that hang must not make a write begin when its lease is over."""
    watch = Watch()
    with serving() as script:
        limits = CallLimits(parallel=0, write=0.05)
        timing = Timing(FakeTime().sleep, watch.monotonic, time.time, lambda: 0.5)
        endpoints = Endpoints(script.url, script.url, allow_loopback=True)
        session = Session(credentials.static("a", "b", [script.url]), endpoints, timing=timing, limits=limits)

        with pytest.raises(Unavailable, match="not sent, other calls took all of its time"):
            DevOpsWrites(session).remove_role("prime", "scope", "7", "x")
        assert script.asked == []
