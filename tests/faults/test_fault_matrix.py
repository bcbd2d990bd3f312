"""Whatever goes wrong at whatever call: nothing crashes, hangs, or is written that should not be, and it ends in sync.

A sample of what `make soak` plays in whole; docs/reliability.md has the figures.
"""

from __future__ import annotations

import pytest

from scripts import reliability
from tests.faults.matrix import FAULTS, Cell, Site, Stage, documented, sampled

PARTS = 3
pytestmark = pytest.mark.timeout(1800)


@pytest.mark.parametrize("part", range(PARTS))
def test_a_sample_of_the_matrix(stage: Stage, part: int) -> None:
    played = {cell: stage.play(cell) for cell in sampled(list(stage.cells()), part, PARTS)}

    assert {str(cell): one.problems for cell, one in played.items() if one.problems} == {}
    known = reliability.reasons()
    unknown = {str(cell): one.reasons - known for cell, one in played.items() if one.reasons - known}
    assert unknown == {}, "docs/reliability.md does not have these; run `make soak`"


def test_the_sample_has_every_call_site_every_fault_and_both_modes(stage: Stage) -> None:
    cells = list(stage.cells())
    parts = [sampled(cells, part, PARTS) for part in range(PARTS)]
    chosen = [cell for part in parts for cell in part]

    assert len(set(chosen)) == len(chosen) < len(cells) / 10
    assert {cell.site for cell in chosen} == {site for sites in stage.sites().values() for site in sites}
    assert {cell.fault for cell in chosen} == set(FAULTS)
    assert 2 * sum(cell.lasting for cell in chosen) == len(chosen)


def test_the_page_lists_the_call_sites_that_a_run_without_faults_made(stage: Stage) -> None:
    """A new call site appears here by itself: `make soak` plays it, and writes the page."""
    assert reliability.listed_sites() == {str(site) for sites in stage.sites().values() for site in sites}
    assert reliability.listed_faults() == set(FAULTS)


def test_what_the_oracle_calls_documented_is_documented() -> None:
    assert {"InSync", "Unavailable", "Throttled", "Forbidden"} <= documented()


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        ({"what": "open-access", "organization": "fabrikam-prime", "project": "fabrikam-dev"}, "was opened"),
        ({"what": "set-role", "organization": "fabrikam-prime", "who": "eve", "role": "Administrator"}, "eve"),
        ({"what": "remove-role", "organization": "fabrikam-prime", "who": "ann"}, "narrowing before grants"),
    ],
)
def test_the_oracle_sees_what_no_run_may_do(stage: Stage, edit: dict[str, str], problem: str) -> None:
    """Done by hand here, as if a run had done it."""
    cell = Cell("access", Site("devops", "GET", "queues.list"), "500", lasting=False)
    found = stage.seen_after(cell, edit.pop("what"), **edit)
    assert any(problem in line for line in found), found
