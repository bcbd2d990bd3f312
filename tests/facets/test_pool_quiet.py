"""Changes that recycle agents wait for a quiet moment where the spec asks for one, and for no longer than it says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.errors import Forbidden
from reconciler.facets import pool
from reconciler.plan.model import GapKind, Risk
from reconciler.plan.policy import Policy
from reconciler.spec.model import Disruption, Mode, Spec
from tests.facets.documents import document, fabric, sent, wanted, world_with
from tests.facets.frame import NOW, look
from tests.facets.world import World

ONLY = [pool.FACET]
NEW_SKU = fabric(sku={"name": "Standard_D8ads_v5"})


def quiet(spec: Spec, *, hours: int = 12, proceed: bool = True) -> Spec:
    return replace(spec, disruption=Disruption(timedelta(hours=hours), proceed))


def busy(*machines: str, hours_ago: int = 0) -> World:
    world = world_with(document())
    world.at_work = list(machines)
    world.since = NOW - timedelta(hours=hours_ago)
    return world


def paths(world: World, spec: Spec) -> list[str]:
    return [detail.path for change in look(world, spec, facets=ONLY).changes for detail in change.details]


def test_a_change_that_recycles_agents_waits_while_one_is_at_work() -> None:
    seen = look(busy("Allocated", "Ready"), quiet(wanted(fabricProfile=NEW_SKU["fabricProfile"])), facets=ONLY)

    assert seen.changes == ()
    assert [(gap.kind, gap.reason, gap.message) for gap in seen.gaps] == [
        (
            GapKind.NOT_READY,
            "NotReady",
            (
                "fabrikam-managed-pool: fabricProfile.sku.name would recycle agents; 1 of 2 machines are at work "
                "(1 Allocated); waits for a quiet moment until 2026-11-02T21:30Z"
            ),
        )
    ]


def test_what_recycles_nothing_does_not_wait_for_it() -> None:
    spec = quiet(wanted(fabricProfile=NEW_SKU["fabricProfile"], maximumConcurrency=6))

    change = look(busy("Leased"), spec, facets=ONLY).changes[0]

    assert [detail.path for detail in change.details] == ["maximumConcurrency"]
    assert sent(change)["properties"]["fabricProfile"]["sku"]["name"] == "Standard_D2ads_v5"
    assert change.risk is Risk.NEUTRAL


@pytest.mark.parametrize(
    ("machines", "waits", "reason"),
    [
        ([], False, "no machine, no job"),
        (["Ready", "returned", "Provisioning"], False, "none of these has a job"),
        (["Allocated"], True, "somebody's job"),
        (["PendingReturn", "NotReady"], False, "shutting down, or not ready for another job"),
        (["Leased"], True, "in the document without a meaning"),
        (["Dreaming"], True, "a word that nobody knows"),
    ],
)
def test_what_is_quiet(machines: list[str], waits: bool, reason: str) -> None:
    spec = quiet(wanted(fabricProfile=NEW_SKU["fabricProfile"]))

    assert (paths(busy(*machines), spec) == []) is waits, reason


def test_what_cannot_be_read_is_not_quiet() -> None:
    world = busy()
    world.blind = Forbidden("machines: no right")

    seen = look(world, quiet(wanted(fabricProfile=NEW_SKU["fabricProfile"])), facets=ONLY)

    assert (seen.changes, [gap.kind for gap in seen.gaps]) == ((), [GapKind.NOT_READY])
    assert "whether machines are at work cannot be read (machines: no right)" in seen.gaps[0].message


@pytest.mark.parametrize(
    ("proceed", "made", "gaps", "reason"),
    [(True, 1, [], "proceed"), (False, 0, [GapKind.DEGRADED], "stay, and tell somebody")],
)
def test_the_wait_is_bounded(proceed: bool, made: int, gaps: list[GapKind], reason: str) -> None:
    spec = quiet(wanted(fabricProfile=NEW_SKU["fabricProfile"]), proceed=proceed)

    seen = look(busy("Allocated", hours_ago=12), spec, facets=ONLY)

    assert (len(seen.changes), [gap.kind for gap in seen.gaps]) == (made, gaps), reason


@pytest.mark.parametrize("mode", [Mode.REPORT])
def test_a_report_shows_the_change_at_once(mode: Mode) -> None:
    spec = replace(quiet(wanted(fabricProfile=NEW_SKU["fabricProfile"])), mode=mode)

    assert paths(busy("Allocated"), spec) == ["fabricProfile.sku.name"]


def test_machines_are_not_read_where_nothing_would_be_recycled() -> None:
    world = busy()
    world.blind = Forbidden("asked in vain")

    assert paths(world, quiet(wanted(maximumConcurrency=6))) == ["maximumConcurrency"]
    assert paths(world, wanted(fabricProfile=NEW_SKU["fabricProfile"])) == ["fabricProfile.sku.name"]


def test_the_guard_knows_that_machines_are_at_work() -> None:
    spec = quiet(wanted(fabricProfile=NEW_SKU["fabricProfile"]))
    desired = pool.parse(spec, NOW)
    seen = pool.observe(spec, desired, busy("Allocated")).value

    forged = pool.diff(desired, seen._replace(held=False))

    assert [refusal.rule for refusal in pool.guard(seen, forged, Policy())] == ["not-quiet"]
