"""A pool that is not where the spec says: found elsewhere, reported, and never created twice."""

from __future__ import annotations

import pytest

from reconciler.errors import Moved, Rejected
from reconciler.facets import pool
from reconciler.survey.moves import PoolElsewhere
from tests.facets.documents import wanted, world_with
from tests.facets.frame import POOL_NAME, look
from tests.facets.world import World

ONLY = [pool.FACET]


def elsewhere(*, same: bool, place: str = "/subscriptions/2/resourceGroups/rg-other") -> World:
    made = world_with(None)
    made.moved = PoolElsewhere(
        f"{place}/providers/Microsoft.DevOpsInfrastructure/pools/{POOL_NAME}", same, "the evidence"
    )
    return made


@pytest.mark.parametrize(("same", "error"), [(True, Moved), (False, Rejected)])
def test_while_a_pool_of_this_name_is_somewhere_else_none_is_created(same: bool, error: type[Exception]) -> None:
    with pytest.raises(error, match="the evidence") as raised:
        look(elsewhere(same=same), wanted(), facets=ONLY)

    lines = "write subscription: 2 and resourceGroup: rg-other in the spec"
    assert (lines in str(raised.value)) is same
    assert ("is another pool" in str(raised.value)) is not same
