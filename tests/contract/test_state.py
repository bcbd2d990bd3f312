"""State documents, in both families."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from reconciler.errors import LeaseHeld
from reconciler.ports.stores import StoredDocument
from tests.contract.families import Family, Stores


def test_a_document_that_was_never_saved_is_none(one: Stores) -> None:
    assert one.state.load("pools/none") is None
    assert list(one.state.names("pools/")) == []


def test_what_one_worker_saves_another_loads(one: Stores, other: Stores) -> None:
    body = {"text": "grüße\n\u2028", "list": [1, 2.5, None, True], "deep": {"a": {"b": ["x" * 100_000]}}}
    etag = one.state.save("pools/fabrikam", body, None)

    assert other.state.load("pools/fabrikam") == StoredDocument(body, etag)


def test_a_new_document_must_be_new(one: Stores, other: Stores) -> None:
    """Two workers that see a pool for the first time must not both believe so afterwards."""
    one.state.save("pools/fabrikam", {"n": 1}, None)

    with pytest.raises(LeaseHeld, match="state pools/fabrikam: another worker"):
        other.state.save("pools/fabrikam", {"n": 2}, None)


def test_a_tag_counts_once(one: Stores, other: Stores) -> None:
    first = one.state.save("evidence/fabrikam", {"n": 1}, None)
    second = one.state.save("evidence/fabrikam", {"n": 2}, first)

    assert first != second
    with pytest.raises(LeaseHeld):
        other.state.save("evidence/fabrikam", {"n": 3}, first)
    found = one.state.load("evidence/fabrikam")
    assert found is not None
    assert found.body == {"n": 2}


def test_a_tag_of_a_document_that_is_not_there_is_no_longer_true(one: Stores) -> None:
    etag = one.state.save("evidence/a", {}, None)

    with pytest.raises(LeaseHeld):
        one.state.save("evidence/b", {}, etag)


def test_names_are_listed_by_their_beginning_in_order(one: Stores) -> None:
    for name in ("pools/b", "pools/a", "evidence/a", "pools/a%_"):
        one.state.save(name, {}, None)

    assert list(one.state.names("pools/")) == ["pools/a", "pools/a%_", "pools/b"]
    assert list(one.state.names("pools/a%")) == ["pools/a%_"]
    assert len(one.state.names("")) == 4


def test_no_update_is_lost_between_racing_writers(family: Family, one: Stores) -> None:
    """The classic: read, add one, write; a writer that was late reads again."""
    one.state.save("evidence/counter", 0, None)
    stores = [family.worker() for _ in range(4)]

    def add(worker: Stores) -> None:
        done = 0
        while done < 5:
            found = worker.state.load("evidence/counter")
            assert found is not None
            try:
                worker.state.save("evidence/counter", found.body + 1, found.etag)
                done += 1
            except LeaseHeld:
                continue

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(add, stores))
    for worker in stores:
        worker.close()

    found = one.state.load("evidence/counter")
    assert found is not None
    assert found.body == 20


def test_the_tags_of_all_documents_are_those_that_a_load_returns(one: Stores, other: Stores) -> None:
    """What has the same tag is not loaded again, so a list must never have a tag of its own making."""
    assert dict(one.state.versions("pools/")) == {}
    for number in range(3):
        one.state.save(f"pools/p{number}", {"n": number}, None)
    one.state.save("gates/fabrikam", {}, None)
    lease = one.leases.acquire("p1", 60)
    loaded = one.state.load("pools/p1")
    assert loaded is not None
    saved = one.state.save("pools/p1", {"n": 9}, loaded.etag)
    lease.release()
    one.leases.acquire("p7", 60).release()  # an empty blob carries it, and is no document

    found = other.state.versions("pools/")
    assert sorted(found) == ["pools/p0", "pools/p1", "pools/p2"]
    assert found["pools/p1"] == saved
    assert {name: document.etag for name in found if (document := one.state.load(name)) is not None} == dict(found)


def test_the_tags_of_the_safety_store_leave_the_record_of_writes_out(one: Stores) -> None:
    one.safety.save("index", {}, None)
    one.safety.save("mode", {}, None)
    one.record.append("devops/fabrikam", [{"at": "2026-11-01T12:00:00Z"}])

    assert sorted(one.safety.versions("")) == ["index", "mode"]
    assert sorted(one.safety.versions("mo")) == ["mode"]
