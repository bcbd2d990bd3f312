"""The store of the safety facts, in both families: apart from all other state."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.adapters.sqlite.file import _ADDED
from reconciler.adapters.sqlite.store import Local
from reconciler.errors import LeaseHeld, NotFound, Rejected
from reconciler.safety import SafetyDocuments
from tests.contract.families import Family, Stores


def test_a_safety_document_is_not_a_state_document(one: Stores, other: Stores) -> None:
    """Neither by its name nor in a list."""
    one.safety.save("mode", {"mode": "stop"}, None)
    one.state.save("mode", {"mode": "enforce"}, None)
    found = other.safety.load("mode")

    assert found is not None
    assert found.body == {"mode": "stop"}
    assert list(other.state.names("")) == ["mode"]
    assert list(other.safety.names("")) == ["mode"]


def test_a_lease_on_a_pool_guards_no_safety_document(one: Stores, other: Stores) -> None:
    """A stop is not kept out by the worker that it is to stop."""
    lease = one.leases.acquire("fabrikam", 60)
    etag = other.safety.save("pools/fabrikam", {"n": 1}, None)
    other.safety.save("pools/fabrikam", {"n": 2}, etag)
    lease.release()

    with pytest.raises(LeaseHeld):
        one.safety.save("pools/fabrikam", {"n": 3}, etag)


def test_a_new_store_has_no_index_and_gets_one(one: Stores, other: Stores) -> None:
    documents = SafetyDocuments(one.safety)
    assert documents.index().new
    documents.create()
    documents.create()

    found = SafetyDocuments(other.safety).index()
    assert (found.new, found.names) == (False, frozenset())


def test_a_document_is_in_the_index_and_is_read_back(family: Family, one: Stores, other: Stores) -> None:
    documents = SafetyDocuments(one.safety)
    documents.change("mode", lambda body: {**body, "mode": "stop"})
    documents.change("mode", lambda body: {**body, "by": "ann"})
    reader = SafetyDocuments(other.safety)

    assert reader.load("mode", reader.index()) == {"mode": "stop", "by": "ann"}
    assert reader.load("mode/pools/a", reader.index()) is None


class Killed(BaseException):
    """The end of a process."""


def killed(_: dict[str, object]) -> dict[str, object]:
    raise Killed


def broken_off(documents: SafetyDocuments, name: str) -> None:
    """The index names the document, and the process ended before it was stored."""
    with pytest.raises(Killed):
        documents.change(name, killed)


@pytest.mark.parametrize("name", ["mode", "mode/pools/a", "operators", "undone/a"])
def test_an_interrupted_first_write_blocks_where_absence_would_permit_something(one: Stores, name: str) -> None:
    """The reverse would let a stop be forgotten. To repeat the command is enough."""
    documents = SafetyDocuments(one.safety)
    documents.change("agent-pools/a", lambda _: {"n": 1})
    broken_off(documents, name)

    with pytest.raises(NotFound, match=f"the document {name} was not stored to its end; repeat the command"):
        documents.load(name, documents.index())
    documents.change(name, lambda body: {**body, "mode": "stop"})
    assert documents.load(name, documents.index()) == {"mode": "stop"}
    assert documents.index().entering == frozenset()


@pytest.mark.parametrize("name", ["agent-pools/a", "agent-pool-owners/prime/7", "approvals/a"])
def test_an_interrupted_first_write_was_never_made_where_absence_permits_nothing(
    one: Stores, other: Stores, name: str
) -> None:
    """No person has to repair anything: the next run writes the document."""
    documents, reader = SafetyDocuments(one.safety), SafetyDocuments(other.safety)
    broken_off(documents, name)

    assert reader.load(name, reader.index()) is None
    reader.change(name, lambda body: {**body, "n": 1})
    assert documents.load(name, documents.index()) == {"n": 1}
    assert documents.index().entering == frozenset()


@pytest.mark.parametrize("name", ["mode", "agent-pools/a", "agent-pool-owners/prime/7", "approvals/a"])
def test_a_document_that_was_stored_and_is_lost_blocks_whatever_it_is(one: Stores, name: str) -> None:
    """As if its index came from a release that says nothing of entering."""
    documents = SafetyDocuments(one.safety)
    one.safety.save("index", {"apiVersion": "safety/v1", "documents": [name]}, None)

    with pytest.raises(NotFound, match=f"the document {name} is missing, but the index names it"):
        documents.load(name, documents.index())
    with pytest.raises(NotFound):
        documents.change(name, lambda _: {"n": 1})
    documents.change(name, lambda _: {"n": 1}, replace_missing=True)
    assert documents.load(name, documents.index()) == {"n": 1}


def test_a_kill_before_the_index_is_settled_is_settled_by_the_next_new_document(one: Stores) -> None:
    """Else a loss of the document could be taken for its absence for ever."""
    documents = SafetyDocuments(one.safety)
    broken_off(documents, "approvals/a")
    one.safety.save("approvals/a", {"n": 1}, None)
    assert documents.index().entering == {"approvals/a"}

    documents.change("approvals/b", lambda _: {"n": 2})

    assert documents.index().entering == frozenset()
    assert documents.index().names == {"approvals/a", "approvals/b"}


def test_a_settled_index_is_what_earlier_releases_wrote(one: Stores) -> None:
    SafetyDocuments(one.safety).change("approvals/a", lambda _: {"n": 1})
    found = one.safety.load("index")

    assert found is not None
    assert found.body == {"apiVersion": "safety/v1", "documents": ["approvals/a"]}


def test_a_document_that_is_being_entered_and_is_no_object_is_not_replaced(one: Stores) -> None:
    documents = SafetyDocuments(one.safety)
    broken_off(documents, "approvals/a")
    one.safety.save("approvals/a", [], None)

    with pytest.raises(Rejected, match="is no JSON object"):
        documents.change("approvals/a", lambda _: {"n": 1})


@pytest.mark.parametrize("body", [[], "x", None, {}, {"documents": "x"}, {"apiVersion": "safety/v9", "documents": []}])
def test_a_damaged_index_is_an_error_until_it_is_repaired(one: Stores, body: object) -> None:
    documents = SafetyDocuments(one.safety)
    documents.change("mode", lambda _: {"mode": "stop"})
    index = one.safety.load("index")
    assert index is not None
    one.safety.save("index", body, index.etag)

    with pytest.raises(Rejected, match="the document index is"):
        documents.index()
    with pytest.raises(Rejected):
        documents.change("mode", lambda _: {"mode": "enforce"})
    assert documents.repair() == ("mode",)
    assert documents.load("mode", documents.index()) == {"mode": "stop"}


def test_documents_without_an_index_are_no_new_store(one: Stores) -> None:
    one.safety.save("mode", {"mode": "stop"}, None)

    with pytest.raises(Rejected, match="the document index is missing, but 1 others exist"):
        SafetyDocuments(one.safety).index()


def test_a_file_of_an_earlier_release_gets_the_table(tmp_path: Path) -> None:
    """And the earlier release still opens it."""
    path = tmp_path / "state.db"
    stores = Local(path)
    stores.state.save("pools/a", {"n": 1}, None)
    with stores._file.begin() as connection:
        for table in _ADDED:
            connection.execute(f"DROP TABLE {table}")
    stores.close()

    stores.safety.save("mode", {}, None)
    assert list(stores.state.names("")) == ["pools/a"]
    stores.close()


def test_a_row_that_is_no_json_is_named(tmp_path: Path) -> None:
    stores = Local(tmp_path / "state.db")
    stores.safety.save("mode", {}, None)
    with stores._file.begin() as connection:
        connection.execute("UPDATE safety SET body = '{'")

    with pytest.raises(Rejected, match="state mode: the row in table safety is no JSON"):
        stores.safety.load("mode")
    stores.close()
