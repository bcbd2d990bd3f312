"""Leases, in both families: one holder for each pool, and a state that only the holder writes."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

import pytest

from reconciler.adapters.clock import SystemClock
from reconciler.engine.memory import Memory
from reconciler.engine.status import PoolStatus
from reconciler.engine.tenure import RunLimits, Tenure
from reconciler.errors import LeaseHeld
from tests.contract.families import Family, LocalFamily, Stores
from tests.contract.racing import race
from tests.forking import FUNCTIONS


def test_a_pool_has_one_holder_and_pools_do_not_hinder_each_other(one: Stores, other: Stores) -> None:
    lease = one.leases.acquire("fabrikam", 60)
    with pytest.raises(LeaseHeld, match="pool fabrikam: another worker holds"):
        other.leases.acquire("fabrikam", 60)
    with pytest.raises(LeaseHeld):
        one.leases.acquire("fabrikam", 60)
    other.leases.acquire("contoso", 60).release()

    lease.renew()
    lease.release()
    other.leases.acquire("fabrikam", 60).release()


def test_a_lapsed_lease_is_taken_over_and_the_old_holder_learns_of_it(
    family: Family, one: Stores, other: Stores
) -> None:
    """A worker that was paused must find out before it writes."""
    old = one.leases.acquire("fabrikam", 60)
    family.lapse("fabrikam")
    new = other.leases.acquire("fabrikam", 60)

    with pytest.raises(LeaseHeld):
        old.renew()
    old.release()
    new.renew()
    with pytest.raises(LeaseHeld):
        one.leases.acquire("fabrikam", 60)


def test_a_lease_given_back_twice_does_no_harm(one: Stores, other: Stores) -> None:
    lease = one.leases.acquire("fabrikam", 60)
    lease.release()
    other.leases.acquire("fabrikam", 60)
    lease.release()

    with pytest.raises(LeaseHeld):
        one.leases.acquire("fabrikam", 60)
    with pytest.raises(LeaseHeld):
        lease.renew()


def test_a_lease_alone_is_no_document(one: Stores) -> None:
    """A pool that was never reconciled has no state, whatever carries its lease."""
    lease = one.leases.acquire("fabrikam", 60)

    assert one.state.load("pools/fabrikam") is None
    assert list(one.state.names("pools/")) == []
    lease.release()
    assert one.state.load("pools/fabrikam") is None
    one.state.save("pools/fabrikam", {"n": 1}, None)
    assert list(one.state.names("pools/")) == ["pools/fabrikam"]


def test_only_the_holder_writes_the_pools_document(one: Stores, other: Stores) -> None:
    etag = one.state.save("pools/fabrikam", {"n": 1}, None)
    lease = one.leases.acquire("fabrikam", 60)
    with pytest.raises(LeaseHeld):
        other.state.save("pools/fabrikam", {"n": 2}, etag)

    etag = one.state.save("pools/fabrikam", {"n": 3}, etag)
    etag = one.state.save("pools/fabrikam", {"n": 4}, etag)
    other.state.save("pools/contoso", {}, None)
    other.state.save("evidence/fabrikam", {}, None)
    lease.release()
    other.state.save("pools/fabrikam", {"n": 5}, etag)


def test_the_first_document_is_written_under_the_lease(one: Stores, other: Stores) -> None:
    lease = one.leases.acquire("fabrikam", 60)
    with pytest.raises(LeaseHeld):
        other.state.save("pools/fabrikam", {"n": 0}, None)
    etag = one.state.save("pools/fabrikam", {"n": 1}, None)

    with pytest.raises(LeaseHeld):
        one.state.save("pools/fabrikam", {"n": 2}, None)
    one.state.save("pools/fabrikam", {"n": 2}, etag)
    lease.release()


def test_who_lost_the_lease_can_no_longer_write_the_state(family: Family, one: Stores, other: Stores) -> None:
    """Not even with the right tag, and not even before another worker took it."""
    etag = one.state.save("pools/fabrikam", {"n": 1}, None)
    lease = one.leases.acquire("fabrikam", 60)
    family.lapse("fabrikam")
    with pytest.raises(LeaseHeld):
        one.state.save("pools/fabrikam", {"n": 2}, etag)

    other.leases.acquire("fabrikam", 60)
    with pytest.raises(LeaseHeld):
        one.state.save("pools/fabrikam", {"n": 3}, etag)
    other.state.save("pools/fabrikam", {"n": 4}, etag)
    lease.release()


def test_of_eight_threads_in_two_processes_one_gets_the_lease(family: Family) -> None:
    """The race that no lock within a process decides; also the first use of a fresh store by all at once."""
    if isinstance(family, LocalFamily):
        family.clock = None  # a test's clock cannot be shared between processes; the machine's can
    with ProcessPoolExecutor(2, mp_context=FUNCTIONS) as processes:
        winners = [processes.submit(race, family, "fabrikam", 4) for _ in range(2)]

        assert sum(winner.result(60) for winner in winners) == 1


def test_the_lease_of_a_look_guards_its_document_alone_and_names_its_holder(one: Stores, other: Stores) -> None:
    """By the store's clock: who waits learns for how long at most, whatever the holder's clock says."""
    name = "looks/fabrikam"
    lease = one.leases.acquire(name, 60, "host-1 (42)")
    with pytest.raises(LeaseHeld, match="holds its lease until") as early:
        other.leases.acquire(name, 60, "host-2 (7)")
    assert early.value.retry_after is not None
    assert 1 <= early.value.retry_after <= 60
    lease.renew()
    with pytest.raises(LeaseHeld, match=r"^looks/fabrikam: host-1 \(42\) holds its lease until ..:..:.. UTC") as held:
        other.leases.acquire(name, 60, "host-2 (7)")

    assert held.value.retry_after is not None
    assert 1 <= held.value.retry_after <= 60
    with pytest.raises(LeaseHeld):
        other.state.save(name, {"n": 0}, None)
    etag = one.state.save(name, {"n": 1}, None)
    other.leases.acquire("fabrikam", 60).release()
    other.state.save("pools/fabrikam", {"n": 1}, None)
    lease.release()
    again = other.leases.acquire(name, 60, "host-2 (7)")
    again.renew()
    with pytest.raises(LeaseHeld, match="host-2"):
        one.leases.acquire(name, 60, "host-1 (42)")
    with pytest.raises(LeaseHeld):
        one.state.save(name, {"n": 2}, etag)
    again.release()


def test_the_lease_of_a_look_that_lapsed_is_taken_over(family: Family, one: Stores, other: Stores) -> None:
    one.leases.acquire("looks/fabrikam", 60, "host-1 (42)")
    family.lapse("looks/fabrikam")

    other.leases.acquire("looks/fabrikam", 60, "host-2 (7)").release()


def test_a_renewal_that_writes_down_the_holder_does_not_cost_the_run_its_status(one: Stores, other: Stores) -> None:
    """On Azure Storage it is another tag of the same blob; what another worker wrote is another content."""
    clock, limits = SystemClock(), RunLimits()
    one.leases.acquire("fabrikam", 60).release()
    one.state.save("pools/fabrikam", PoolStatus("fabrikam", path="a.yaml").to_json(), None)
    lease = one.leases.acquire("fabrikam", 60, "host-1, process 42 (since 12:00:03 UTC)")
    memory = Memory(one.state, "fabrikam", Tenure(lease, clock, limits))
    lease.renew()
    with pytest.raises(LeaseHeld, match=r"^pool fabrikam: host-1, process 42 \(since 12:00:03 UTC\) holds its lease"):
        other.leases.acquire("fabrikam", 60, "host-2")

    memory.save(replace(memory.status, attempted="1"))
    lease.renew()
    memory.save(replace(memory.status, attempted="2"))

    body = other.state.load("pools/fabrikam")
    assert body is not None
    assert PoolStatus.from_json("fabrikam", body.body).attempted == "2"
    lease.release()
    other.state.save("pools/fabrikam", PoolStatus("fabrikam", path="b.yaml").to_json(), body.etag)
    with pytest.raises(LeaseHeld):
        memory.save(replace(memory.status, attempted="3"))
