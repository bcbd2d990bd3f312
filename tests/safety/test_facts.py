"""What one run knows of the safety store, and what blocks writing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.adapters.sqlite.store import Local
from reconciler.safety import ModeScope, Safety, SafetyFacts, Unknown, WriteMode
from tests.contract.families import Settable

ALL = ModeScope()
ORGANIZATION = ModeScope(organization="Fabrikam")
POOL = ModeScope(pool="Pool-A")


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Local]:
    made = Local(tmp_path / "state.db", Settable())
    yield made
    made.close()


def safety_of(stores: Local, mode: WriteMode = WriteMode.ENFORCE, *, service: bool = False) -> Safety:
    return Safety(stores.safety, Settable(), mode, service=service)


def facts(safety: Safety) -> SafetyFacts:
    return safety.read("pool-a", ["fabrikam", "contoso"])


def set_mode(safety: Safety, scope: ModeScope, mode: WriteMode | None) -> None:
    safety.set_mode(scope, mode, reason="maintenance", by="ann")


def test_nobody_writes_before_the_store_is_created(stores: Local) -> None:
    """Not even a person: what a run records needs the store. A person's `apply` creates it first."""
    safety = safety_of(stores)
    assert not facts(safety).modes.of_pool().mode.writes
    assert safety.read("pool-a", ["fabrikam"], planning=True).modes.of_pool().mode is WriteMode.ENFORCE
    safety.create()
    assert facts(safety).modes.of_pool().mode is WriteMode.ENFORCE


def test_a_service_reports_until_the_owner_sets_a_mode(stores: Local) -> None:
    """Also where a person's `apply` has created the store."""
    service = safety_of(stores, service=True)
    assert facts(service).modes.of_pool().mode is WriteMode.REPORT
    service.create()
    assert "mdp-reconciler mode set" in str(facts(service).modes.of_pool())
    set_mode(safety_of(stores), ALL, WriteMode.ENFORCE)
    assert facts(service).modes.of_pool().mode is WriteMode.ENFORCE
    set_mode(safety_of(stores), ALL, None)
    assert facts(service).modes.of_pool().mode is WriteMode.REPORT


@pytest.mark.parametrize("environment", list(WriteMode))
@pytest.mark.parametrize("document", list(WriteMode))
def test_the_strictest_of_environment_and_document_wins(
    stores: Local, environment: WriteMode, document: WriteMode
) -> None:
    safety = safety_of(stores, environment)
    set_mode(safety, ALL, document)

    found = facts(safety).modes.of_pool()
    assert found.mode is min(environment, document, key=lambda mode: mode.rank)
    assert ("RECONCILER_MODE" in str(found)) == (environment.rank <= document.rank)


def test_an_organization_and_a_pool_have_their_own_mode(stores: Local) -> None:
    safety = safety_of(stores)
    set_mode(safety, ORGANIZATION, WriteMode.STOP)
    modes = facts(safety).modes

    assert modes.of_pool().mode is WriteMode.ENFORCE
    assert modes.for_organizations(["contoso"]).mode is WriteMode.ENFORCE
    assert str(modes.for_organizations(["CONTOSO", "FabriKam"])) == (
        "mode stop of organization fabrikam (set 2026-11-01T12:00:00Z by ann): maintenance"
    )
    set_mode(safety, POOL, WriteMode.REPORT)
    assert facts(safety).modes.of_pool().mode is WriteMode.REPORT
    assert safety.read("pool-b", ["contoso"]).modes.of_pool().mode is WriteMode.ENFORCE
    set_mode(safety, POOL, None)
    set_mode(safety, ORGANIZATION, None)
    assert facts(safety).modes.for_organizations(["fabrikam"]).mode is WriteMode.ENFORCE


def test_a_set_mode_counts_in_the_next_check(stores: Local) -> None:
    safety = safety_of(stores)
    safety.create()
    assert safety.modes("pool-a", []).of_pool().mode is WriteMode.ENFORCE
    set_mode(safety_of(stores), ALL, WriteMode.STOP)
    assert safety.modes("pool-a", []).of_pool().mode is WriteMode.STOP


def remove(stores: Local, name: str) -> None:
    with stores._file.begin() as connection:
        assert connection.execute("DELETE FROM safety WHERE name = ?", (name,)).rowcount == 1


def test_a_missing_document_blocks_what_it_governs_and_nothing_else(stores: Local) -> None:
    safety = safety_of(stores)
    for scope in (ALL, ORGANIZATION, POOL):
        set_mode(safety, scope, WriteMode.ENFORCE)

    remove(stores, ORGANIZATION.document)
    modes = facts(safety).modes
    assert modes.of_pool().mode is WriteMode.ENFORCE
    blocked = modes.for_organizations(["fabrikam"])
    assert (blocked.mode.writes, blocked.unknown is not None) == (False, True)
    assert modes.for_organizations(["contoso"]).mode is WriteMode.ENFORCE

    remove(stores, POOL.document)
    assert not facts(safety).modes.of_pool().mode.writes
    assert safety.read("pool-b", ["contoso"]).modes.of_pool().mode is WriteMode.ENFORCE

    remove(stores, ALL.document)
    assert not safety.read("pool-b", ["contoso"]).modes.of_pool().mode.writes
    set_mode(safety, ALL, WriteMode.ENFORCE)
    assert safety.read("pool-b", ["contoso"]).modes.of_pool().mode is WriteMode.ENFORCE


def test_a_missing_index_blocks_everything(stores: Local) -> None:
    safety = safety_of(stores)
    set_mode(safety, POOL, WriteMode.ENFORCE)
    remove(stores, "index")

    found = facts(safety)
    assert not found.modes.of_pool().mode.writes
    assert isinstance(found.agent_pools, Unknown)
    assert isinstance(found.approvals, Unknown)
    assert "`mdp-reconciler mode repair`" in found.agent_pools.reason
    assert safety.documents.repair() == (POOL.document,)
    assert facts(safety).modes.of_pool().mode is WriteMode.ENFORCE


@pytest.mark.parametrize(
    ("scope", "blocked"), [(ALL, {"a", "b"}), (POOL, {"a"}), (ORGANIZATION, {"a"})], ids=["all", "pool", "organization"]
)
def test_an_older_index_hides_no_stop(stores: Local, scope: ModeScope, blocked: set[str]) -> None:
    """Restored from a backup, it does not name what was set since: a stop must not end by that."""
    safety = safety_of(stores)
    set_mode(safety, ModeScope(pool="pool-c"), WriteMode.ENFORCE)
    older = stores.safety.load("index")
    assert older is not None
    set_mode(safety, scope, WriteMode.STOP)
    newer = stores.safety.load("index")
    assert newer is not None
    stores.safety.save("index", older.body, newer.etag)

    pools = {"a": ("pool-a", ["fabrikam", "contoso"]), "b": ("pool-b", ["contoso"])}
    for read in (lambda key, names: safety.read(key, names).modes, safety.modes):
        found = {name: read(*which).for_organizations(which[1]) for name, which in pools.items()}
        assert {name for name, one in found.items() if not one.mode.writes} == blocked
        assert all("the index does not name it" in str(found[name]) for name in blocked)
    safety.documents.repair()
    assert facts(safety).modes.for_organizations(["fabrikam"]).mode is WriteMode.STOP


@pytest.mark.parametrize("kind", ["approvals", "agent-pools"])
def test_an_older_index_hides_no_recorded_fact(stores: Local, kind: str) -> None:
    safety = safety_of(stores)
    safety.create()
    stores.safety.save(f"{kind}/pool-a", {}, None)

    found = facts(safety)
    hidden = found.approvals if kind == "approvals" else found.agent_pools
    assert isinstance(hidden, Unknown)
    assert "the index does not name it" in hidden.reason


def test_a_document_that_is_stored_while_it_is_read_is_read(stores: Local) -> None:
    """The index was read before another process entered the document."""
    safety = safety_of(stores)
    safety.create()
    index = safety.documents.index()
    set_mode(safety, POOL, WriteMode.STOP)

    assert safety.documents.load(POOL.document, index) is not None


@pytest.mark.parametrize("body", [{}, {"mode": 1}, {"mode": "Enforce"}, {"mode": "halt"}, []])
def test_a_damaged_mode_blocks_writing(stores: Local, body: object) -> None:
    safety = safety_of(stores)
    set_mode(safety, ALL, WriteMode.ENFORCE)
    found = stores.safety.load("mode")
    assert found is not None
    stores.safety.save("mode", body, found.etag)

    assert not facts(safety).modes.of_pool().mode.writes
    set_mode(safety, ALL, WriteMode.ENFORCE)
    assert facts(safety).modes.of_pool().mode is WriteMode.ENFORCE


def test_the_approved_spec_is_read_back(stores: Local) -> None:
    safety = safety_of(stores)
    safety.approve_spec("pool-a", blob="b1", path="a.yaml", text="name: a", by="ann")
    safety.approve_spec("pool-a", blob="b2", path="a.yaml", text="name: b", by="ben")
    found = facts(safety).approvals

    assert not isinstance(found, Unknown)
    assert found.spec is not None
    assert (found.spec.blob, found.spec.text, found.spec.by) == ("b2", "name: b", "ben")
