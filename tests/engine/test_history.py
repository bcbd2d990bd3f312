"""What history makes of the record: one value for each write, filtered, in pages, and as far as damage allows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.documents.chain import problems
from reconciler.engine.history import MOST, Query, QueryInvalid, page, run_of, since_of
from reconciler.engine.record_import import import_record
from reconciler.errors import NotFound, Rejected
from tests.keeping import Ledger

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
RUN = "20261120T120000Z-0123456789ab"
PRIME = "devops/fabrikam-prime"
ALL = Query(NOON - timedelta(days=1))


def write(
    ledger: Ledger,
    name: str,
    *,
    at: datetime = NOON,
    chain: str = PRIME,
    run: str = RUN,
    pool: str = "pool-1",
    **more: Any,
) -> None:
    """A write with its result and proof, as a run records them."""
    text = at.isoformat().replace("+00:00", "Z")
    intent = {
        "v": 1, "kind": "intent", "id": name, "at": text, "run": run, "pool": pool, "what": "open access",
        "subject": f"fabrikam-prime/{name}", "place": {"organization": "fabrikam-prime", "project": "Web"},
        "before": "closed", "after": "open", "actor": None, **more,
    }  # fmt: skip
    said = {"v": 1, "of": name, "at": text, "run": run}
    ledger.append(chain, [intent, {**said, "kind": "result", "outcome": "confirmed"}])
    ledger.append(chain, [{**said, "kind": "proof", "outcome": "verified"}])


def names(found: Any) -> list[str]:
    return [one["id"] for one in found.writes]


def test_a_write_is_one_value_with_its_result_and_proof() -> None:
    ledger = Ledger()
    write(ledger, "a")

    (one,) = page(ledger, ALL).writes

    assert (one["before"], one["after"], one["chain"]) == ("closed", "open", PRIME)
    assert (one["result"]["outcome"], one["proof"]["outcome"]) == ("confirmed", "verified")
    assert one["commit"] is None, "what a release did not write is null"


def test_a_write_without_a_result_is_shown_as_such_and_a_later_runs_result_counts() -> None:
    ledger = Ledger()
    write(ledger, "a")
    ledger.append(PRIME, [{"kind": "intent", "id": "b", "at": "2026-11-20T12:00:01Z", "run": RUN, "pool": "p"}])
    over = {"kind": "result", "of": "a", "at": "2026-11-20T13:00:00Z", "run": "later", "outcome": "over"}
    ledger.append(PRIME, [over])

    b, a = page(ledger, ALL).writes

    assert (b["result"], b["proof"]) == (None, None)
    assert (a["result"]["outcome"], a["result"]["run"]) == ("over", "later")


def test_newest_first_across_chains_and_in_pages_without_a_gap_or_a_repetition() -> None:
    ledger = Ledger()
    for number in range(9):
        chain = PRIME if number % 2 else "arm/1111"
        write(ledger, f"w{number}", at=NOON + timedelta(seconds=number // 3, microseconds=number % 3), chain=chain)

    seen, before = [], ""
    for _ in range(9):
        found = page(ledger, replace(ALL, limit=2, before=before))
        seen += names(found)
        before = found.next
        if not before:
            break

    assert seen == [f"w{number}" for number in reversed(range(9))]


def test_filters_by_pool_project_and_actor() -> None:
    ledger = Ledger()
    write(ledger, "a", pool="Build-Pool")
    write(
        ledger, "b", place={"organization": "contoso", "project": "Web"}, actor={"name": "eve@fabrikam.com", "id": "7"}
    )
    write(ledger, "c", place={"type": "updatePool"}, actor="odd")

    assert names(page(ledger, replace(ALL, pool="build-pool"))) == ["a"]
    assert names(page(ledger, replace(ALL, project="web"))) == ["b", "a"]
    assert names(page(ledger, replace(ALL, project="Contoso/web"))) == ["b"]
    assert names(page(ledger, replace(ALL, actor="EVE"))) == ["b"]
    assert names(page(ledger, replace(ALL, actor="7"))) == ["b"]
    assert names(page(ledger, replace(ALL, actor="zoe"))) == []


def test_what_is_older_is_left_out() -> None:
    ledger = Ledger()
    write(ledger, "old", at=NOON - timedelta(days=8))
    write(ledger, "new")

    assert names(page(ledger, Query(since_of("7d", NOON)))) == ["new"]
    assert names(page(ledger, Query(since_of("2w", NOON)))) == ["new", "old"]


def test_a_damaged_chain_is_named_and_what_can_be_read_is_shown() -> None:
    ledger = Ledger()
    write(ledger, "a")
    write(ledger, "b", chain="arm/1111")
    ledger.lines[PRIME][1] = b'"not an entry"\n'

    found = page(ledger, ALL)

    assert sorted(names(found)) == ["a", "b"]
    assert found.problems == (f"record {PRIME}: damaged",)
    assert run_of(ledger, RUN)["problems"] == [f"record {PRIME}: damaged"]


def test_a_run_has_its_writes_in_order_and_what_they_have_in_common() -> None:
    ledger = Ledger()
    write(ledger, "a", commit="c0ffee", trigger="sweep")
    write(ledger, "b", commit="c0ffee", trigger="sweep", at=NOON + timedelta(seconds=3))
    write(ledger, "other", run="20261120T120000Z-ba9876543210")

    found = run_of(ledger, RUN)

    assert [one["id"] for one in found["writes"]] == ["a", "b"]
    assert (found["commit"], found["trigger"], found["started"]) == ("c0ffee", "sweep", "2026-11-20T12:00:00Z")


@pytest.mark.parametrize(
    ("run", "error", "says"),
    [
        ("nonsense", QueryInvalid, "is not the id of a run"),
        ("20261340T120000Z-0123456789ab", NotFound, "begins with no moment"),
        ("20261120T120000Z-000000000000", NotFound, "none of its writes is on record"),
    ],
)
def test_a_run_that_is_not_there(run: str, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        run_of(Ledger(), run)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("30m", NOON - timedelta(minutes=30)), ("12h", NOON - timedelta(hours=12)), ("7d", NOON - timedelta(days=7)),
        ("2w", NOON - timedelta(weeks=2)), ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01T12:00:00+02:00", datetime(2026, 11, 1, 10, tzinfo=UTC)),
        ("99999w", NOON - timedelta(days=3650)), ("0001-01-01T00:00:00+23:00", NOON - timedelta(days=3650)),
    ],
)  # fmt: skip
def test_times_back(text: str, moment: datetime) -> None:
    assert since_of(text, NOON) == moment


@pytest.mark.parametrize("text", ["", "7", "0d", "-1d", "7y", "yesterday", "2026-13-01", "2026-11-01T12:00:00"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(QueryInvalid, match=r"since: .*is no time back"):
        since_of(text, NOON)


@pytest.mark.parametrize("fields", [{"limit": 0}, {"limit": MOST + 1}, {"before": "x"}, {"before": "~~"}])
def test_what_is_no_page(fields: dict[str, Any]) -> None:
    with pytest.raises(QueryInvalid):
        Query(NOON, **fields)


def test_an_imported_record_keeps_its_entries_and_is_added_once() -> None:
    source, target = Ledger(), Ledger()
    for number in range(30):
        write(source, f"w{number}", at=NOON - timedelta(days=40) + timedelta(seconds=number))
    write(target, "own")

    assert import_record(source, target) == {PRIME: 90}
    assert import_record(source, target) == {PRIME: 0}

    assert list(problems(target.entries(PRIME))) == []
    found = page(target, Query(NOON - timedelta(days=60), limit=200))
    assert len(found.writes) == 31
    assert found.writes[-1]["imported"] is True
    assert found.writes[-1]["proof"]["outcome"] == "verified"


def test_nothing_of_a_damaged_record_is_imported() -> None:
    source, target = Ledger(), Ledger()
    write(source, "a", chain="arm/1111")
    write(source, "b")
    source.lines[PRIME][0] = source.lines[PRIME][0].replace(b"closed", b"opened")

    with pytest.raises(Rejected, match=f"record {PRIME}: entry at position 1: is edited or damaged"):
        import_record(source, target)
    assert target.all() == []
