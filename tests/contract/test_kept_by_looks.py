"""The document of an organization's looks, in both families, also where the lease on it was renewed meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from reconciler.engine.packed import Packed
from reconciler.engine.status import PoolStatus
from reconciler.engine.tenure import RunLimits, Tenure
from tests.contract.families import Settable, Stores

KEY = "pool-1"
SEEN = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("renewals", [0, 1, 3])
@pytest.mark.parametrize("known", [False, True])
def test_what_a_look_learned_is_stored_however_long_it_took(
    one: Stores, other: Stores, renewals: int, *, known: bool
) -> None:
    one.state.save(f"pools/{KEY}", PoolStatus(KEY).to_json(), None)
    if known:
        one.state.save("looks/fabrikam", {}, None)
    lease = one.leases.acquire("looks/fabrikam", 60, "host-1 (42)")
    packed = Packed(one.state, None, "fabrikam", Tenure(lease, Settable(), RunLimits()))
    assert packed.status(KEY) == PoolStatus(KEY)
    packed.move(KEY, PoolStatus(KEY, seen=SEEN))
    for _ in range(renewals):
        lease.renew()
    packed.save()
    lease.release()

    later = other.leases.acquire("looks/fabrikam", 60, "host-2 (7)")
    found = Packed(other.state, None, "fabrikam", Tenure(later, Settable(), RunLimits())).status(KEY)
    assert found == PoolStatus(KEY, seen=SEEN)
