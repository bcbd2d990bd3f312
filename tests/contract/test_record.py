"""The record of writes, in both families: chained, append-only, and continued by the next writer."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from azure.core.pipeline.transport import RequestsTransport
from azure.storage.blob import BlobServiceClient

from reconciler.adapters.azure_storage.account import Account, Names, Storage
from reconciler.adapters.azure_storage.record import StorageWriteLog
from reconciler.adapters.azure_storage.state import Blobs
from reconciler.adapters.azure_storage.wire import blobs
from reconciler.documents import moment
from reconciler.documents.chain import closing as closing_entry
from reconciler.documents.chain import problems
from reconciler.errors import Rejected, Unavailable
from tests.contract.azurite import Azurite
from tests.contract.families import Family, Stores
from tests.contract.recording import (
    CHAIN,
    NOON,
    append_many,
    body,
    ids,
    overwrite,
    remove_all,
    remove_line,
    remove_segment,
)
from tests.forking import FUNCTIONS

DECEMBER = NOON + timedelta(days=30)


@pytest.fixture
def third(family: Family) -> Iterator[Stores]:
    """A worker that starts later: it knows nothing of what the others read."""
    stores = family.worker()
    yield stores
    stores.close()


def test_a_store_without_a_record_has_no_chain(one: Stores) -> None:
    assert list(one.record.chains()) == []
    assert list(one.record.since(CHAIN, NOON)) == []
    assert list(one.record.entries(CHAIN)) == []


def test_entries_of_two_workers_make_one_chain(one: Stores, other: Stores) -> None:
    one.record.append(CHAIN, [body("a"), body("b")])
    other.record.append(CHAIN, [body("c", text="grüße\n\u2028")])
    one.record.append(CHAIN, [body("d")])
    other.record.append("arm/0000", [body("e")])

    entries = list(one.record.entries(CHAIN))

    assert ids(entries) == ["a", "b", "c", "d"]
    assert [one["number"] for one in entries] == [1, 2, 3, 4, 5]
    assert list(problems(entries)) == []
    assert list(one.record.chains()) == ["arm/0000", CHAIN]


def test_processes_that_append_at_once_fork_no_chain_and_lose_no_entry(family: Family, one: Stores) -> None:
    with ProcessPoolExecutor(4, mp_context=FUNCTIONS) as pool:
        for done in [pool.submit(append_many, family, writer, 10) for writer in range(4)]:
            done.result()

    entries = list(one.record.entries(CHAIN))

    assert sorted(ids(entries)) == sorted(f"{writer}.{number}" for writer in range(4) for number in range(10))
    assert list(problems(entries)) == []
    for writer in range(4):  # each writer's own entries are in its order
        assert [name for name in ids(entries) if name.startswith(f"{writer}.")] == [f"{writer}.{n}" for n in range(10)]


def test_entries_since_a_moment_are_read_from_the_end(one: Stores, other: Stores) -> None:
    long = "x" * 20_000  # more than one window of a blob
    for hour in range(30):
        one.record.append(CHAIN, [body(str(hour), NOON + timedelta(hours=hour), text=long)])

    found = other.record.since(CHAIN, NOON + timedelta(hours=10))

    assert ids(found) == [str(hour) for hour in range(10, 30)]
    assert ids(other.record.since(CHAIN, NOON - timedelta(days=1))) == [str(hour) for hour in range(30)]
    assert len(list(other.record.entries(CHAIN))) == 31


def test_a_new_month_begins_with_a_checkpoint_and_the_chain_goes_on(one: Stores, other: Stores, third: Stores) -> None:
    one.record.append(CHAIN, [body("november")])
    other.record.append(CHAIN, [body("december", DECEMBER)])
    one.record.append(CHAIN, [body("also december", DECEMBER)])  # `one` still believes in the segment of November
    third.record.append(CHAIN, [body("late clock", NOON)])  # opens no older segment

    entries = list(third.record.entries(CHAIN))

    kinds = [entry["kind"] for entry in entries]
    assert kinds == ["checkpoint", "intent", "closed", "checkpoint", "intent", "intent", "intent"]
    assert entries[3]["of"] == "2026-11.0000"
    assert entries[3]["segment"] == "2026-12.0000"
    assert list(problems(entries)) == []
    assert ids(third.record.since(CHAIN, DECEMBER - timedelta(hours=1))) == ["december", "also december"]


def test_whole_months_that_are_too_old_are_deleted_and_break_no_chain(one: Stores) -> None:
    for month in range(20):
        one.record.append(CHAIN, [body(str(month), NOON + timedelta(days=31 * month))])

    entries = list(one.record.entries(CHAIN))

    kept = ids(entries)
    assert kept[-1] == "19"
    assert 20 - len(kept) >= 4, "too old ones are gone"
    assert (19 - int(kept[0])) * 31 >= 400, "nothing younger is"
    assert list(problems(entries)) == []


def test_an_edited_end_stops_every_further_entry_until_an_owner_seals_it(
    family: Family, one: Stores, other: Stores, third: Stores
) -> None:
    one.record.append(CHAIN, [body("a"), body("b", who="ann")])
    overwrite(family, CHAIN, b'"ann"', b'"eve"')

    for worker in (other, third):
        with pytest.raises(Rejected, match=f"record {CHAIN}: .*edited or damaged"):
            worker.record.append(CHAIN, [body("c")])
    with pytest.raises(Rejected, match="edited"):
        other.record.since(CHAIN, NOON - timedelta(days=1))
    other.record.append("devops/contoso", [body("d")])  # other chains go on

    third.record.seal(CHAIN, "ann was edited", NOON)
    other.record.append(CHAIN, [body("e")])

    entries = list(other.record.entries(CHAIN))
    found = list(problems(entries))
    assert len(found) == 1
    assert "is edited or damaged" in found[0]
    assert [one for one in entries if isinstance(one, dict) and one.get("sealed") == "ann was edited"]
    assert ids(other.record.since(CHAIN, NOON))[-1] == "e"


def test_an_entry_that_is_edited_in_the_middle_is_found(family: Family, one: Stores, third: Stores) -> None:
    one.record.append(CHAIN, [body("a", who="ann")])
    one.record.append(CHAIN, [body("b"), body("c")])
    overwrite(family, CHAIN, b'"ann"', b'"eve"')

    assert list(problems(third.record.entries(CHAIN))) == [
        "entry at position 2: is edited or damaged: its hash is not that of its content"
    ]
    third.record.append(CHAIN, [body("d")])  # its end is whole, so the chain goes on


def test_entries_that_were_taken_out_are_missed_by_what_counts_them(family: Family, one: Stores, third: Stores) -> None:
    """A person who deletes the entry of a write, or makes it look old, would have caps count too little."""
    one.record.append(CHAIN, [body("a"), body("b", who="ann"), body("c")])
    assert ids(third.record.since(CHAIN, NOON)) == ["a", "b", "c"]
    remove_line(family, CHAIN, b'"ann"')

    with pytest.raises(Rejected, match=f"record {CHAIN}: .*entries between them are missing or replaced"):
        third.record.since(CHAIN, NOON)
    third.record.seal(CHAIN, "one is gone", NOON)
    assert ids(third.record.since(CHAIN, NOON + timedelta(hours=1))) == []
    assert "a" in ids(third.record.since(CHAIN, NOON))


def test_a_segment_that_was_deleted_is_no_new_beginning(family: Family, one: Stores, third: Stores) -> None:
    """A person who deletes the last month would have caps count from zero."""
    one.record.append(CHAIN, [body("november")])
    one.record.append(CHAIN, [body("december", DECEMBER)])
    remove_segment(family, CHAIN, "2026-12.0000")

    with pytest.raises(Rejected, match="missing"):
        third.record.append(CHAIN, [body("again", DECEMBER)])
    with pytest.raises(Rejected, match="missing"):
        third.record.since(CHAIN, NOON)


def test_a_chain_that_was_deleted_is_found_missing_and_no_safety_document(
    family: Family, one: Stores, third: Stores
) -> None:
    one.record.append(CHAIN, [body("november")])
    one.record.append(CHAIN, [body("december", DECEMBER)])
    assert list(one.safety.names("")) == []
    remove_all(family, CHAIN)

    assert list(third.record.chains()) == [CHAIN]
    with pytest.raises(Rejected, match="missing"):
        third.record.append(CHAIN, [body("again", DECEMBER)])
    third.record.seal(CHAIN, "deleted by mistake", DECEMBER)
    third.record.append(CHAIN, [body("again", DECEMBER)])
    assert ids(list(third.record.entries(CHAIN))) == ["again"]


def test_an_entry_that_is_too_long_is_refused_and_leaves_nothing(one: Stores) -> None:
    one.record.append(CHAIN, [body("a")])

    with pytest.raises(Rejected, match="at most 65,536"):
        one.record.append(CHAIN, [body("b"), body("c", text="x" * 70_000)])

    one.record.append(CHAIN, [body("d")])
    assert ids(list(one.record.entries(CHAIN))) == ["a", "d"]


# --- append blobs alone --------------------------------------------------------------------------------------


@pytest.fixture
def container(azurite: Azurite) -> Iterator[Blobs]:
    """A container of its own."""
    made = Blobs(blobs(azurite.connection, "", None), f"t{uuid4().hex}", create=True)
    yield made
    made.close()


def test_a_blob_is_followed_by_another_well_before_it_is_full(container: Blobs) -> None:
    one, other = (StorageWriteLog(container, most_blocks=5) for _ in range(2))
    for number in range(12):
        (one if number % 2 else other).append(CHAIN, [body(str(number))])

    entries = list(one.entries(CHAIN))

    assert ids(entries) == [str(number) for number in range(12)]
    assert {entry["segment"] for entry in entries if entry["kind"] == "checkpoint"} == {
        f"2026-11.{number:04}" for number in range(3)
    }
    assert list(problems(entries)) == []
    assert ids(other.since(CHAIN, NOON)) == ids(entries)


class Lossy(RequestsTransport):  # type: ignore[misc] # the package has no types for it
    """The response to the second block is lost on the way, so the package sends the request again."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = 0

    def send(self, request: Any, **options: Any) -> Any:
        response = super().send(request, **options)
        if "comp=appendblock" in request.url:
            self.blocks += 1
            if self.blocks == 2:
                return super().send(request, **options)
        return response


def test_a_block_whose_response_was_lost_is_found_and_not_added_twice(azurite: Azurite) -> None:
    transport = Lossy()
    service = BlobServiceClient.from_connection_string(azurite.connection, transport=transport)
    log = StorageWriteLog(Blobs(service, f"t{uuid4().hex}", create=True))

    for name in "abc":
        log.append(CHAIN, [body(name)])

    entries = list(log.entries(CHAIN))
    assert transport.blocks == 4, "a checkpoint and three entries, one of them sent twice"
    assert ids(entries) == ["a", "b", "c"]
    assert list(problems(entries)) == []
    service.close()


def test_a_blob_that_was_created_by_a_writer_that_died_is_used_by_the_next(container: Blobs) -> None:
    log = StorageWriteLog(container)
    log.append(CHAIN, [body("november")])
    container.blob(f"record/{CHAIN}/2026-12.0000").create_append_blob()

    StorageWriteLog(container).append(CHAIN, [body("december", DECEMBER)])

    entries = list(log.entries(CHAIN))
    assert ids(entries) == ["november", "december"]
    assert list(problems(entries)) == []


def test_a_closed_blob_whose_successor_is_empty_goes_on_there(container: Blobs) -> None:
    """The writer that closed it died before it wrote the checkpoint."""
    log = StorageWriteLog(container)
    log.append(CHAIN, [body("november")])
    container.blob(f"record/{CHAIN}/2026-12.0000").create_append_blob()
    log.append(CHAIN, [closing_entry("2026-11.0000", "2026-12.0000", moment(NOON))])

    StorageWriteLog(container).append(CHAIN, [body("december", DECEMBER)])

    entries = list(log.entries(CHAIN))
    assert [one["kind"] for one in entries] == ["checkpoint", "intent", "closed", "checkpoint", "intent"]
    assert list(problems(entries)) == []


@pytest.mark.parametrize("tail", [b'{"kind": "int', b"\xff\xfe\n", b"\n"])
def test_a_tail_that_another_program_wrote_stops_the_chain(container: Blobs, tail: bytes) -> None:
    StorageWriteLog(container).append(CHAIN, [body("a")])
    container.blob(f"record/{CHAIN}/2026-11.0000").append_block(tail)

    with pytest.raises(Rejected, match="edited or damaged"):
        StorageWriteLog(container).append(CHAIN, [body("b")])


def test_a_store_that_cannot_be_reached_is_a_transient_error(sdk_pauses: list[float]) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and nothing listens
        place = Azurite("http", taken.getsockname()[1], taken.getsockname()[1])
        storage = Storage(Account(place.connection), Names(container="none"), allow_loopback=True)
        with pytest.raises(Unavailable, match=f"record {CHAIN}"):
            storage.record.append(CHAIN, [body("a")])
        storage.close()
