"""Evidence between processes: a restart, or another instance, goes on where the last one stopped."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from reconciler.documents.packing import packed, unpacked
from reconciler.engine import load_evidence, snapshots
from reconciler.engine.memory import save_evidence
from reconciler.engine.snapshots import Snapshots
from reconciler.survey import ListEvidence, scopes
from reconciler.survey.evidence import Evidence
from reconciler.survey.feeds import DAY
from reconciler.survey.rotation import Feed
from tests.keeping import Shelf
from tests.survey.test_evidence import PROJECTS, Process
from tests.survey.test_shared import ORG

NAME = f"evidence/{ORG}"


class Instance(Process):
    """A process with a state store; another one over the same world and store is a restart."""

    def __init__(self, other: Instance | None = None) -> None:
        super().__init__()
        self.shelf = Shelf()
        if other is not None:
            self.estate, self.clock, self.shelf = other.estate, other.clock, other.shelf
            self.planner.readers, self.planner.clock = self.estate.readers, self.clock
            self.planner.evidence = self.evidence = Evidence(self.clock.now)
            self.evidence.name(self.specs, "c0ffee")
        self.snapshots = Snapshots(self.shelf, self.evidence)

    def store(self, body: Any) -> None:
        """As another release, or a person, left it."""
        document = self.shelf.load(NAME)
        known: Any = {} if document is None else document.body
        self.shelf.save(NAME, {**known, "facts": body}, None if document is None else document.etag)

    def stored(self) -> Any:
        document = self.shelf.load(NAME)
        assert document is not None
        body: Any = document.body
        return unpacked(body["facts"])


@pytest.fixture
def first() -> Instance:
    first = Instance()
    first.look(None)
    first.snapshots.save(first.specs, {})
    first.clock.seconds += 60
    return first


def test_a_restart_reads_lists_of_the_organization_and_no_project_again(first: Instance) -> None:
    second = Instance(first)
    second.snapshots.load(second.specs)

    reads = second.reads(second.demand())

    assert "queues" not in reads
    assert "authorized" not in reads
    assert second.reads(second.demand(scopes.pool("pool-1")), 1)["queues"] == PROJECTS


def test_it_holds_nobody_and_only_what_is_named_to_be_stored(first: Instance) -> None:
    text = json.dumps(first.stored())

    assert {one[0] for one in first.stored()["facts"]} == {"queues", "authorized", "projects"}
    assert "ann-1" not in text
    assert "operator" not in text


def test_without_a_change_nothing_is_saved_and_what_others_stored_is_kept(first: Instance) -> None:
    second = Instance(first)
    tag = first.shelf.documents[NAME][1]
    first.snapshots.save(first.specs, {})
    second.snapshots.load(second.specs)
    second.snapshots.save(second.specs, {})
    assert first.shelf.documents[NAME][1] == tag

    here, there = (one.id for one in first.estate.projects[ORG][:2])
    first.look(first.demand(scopes.project(ORG, here)))
    first.snapshots.save(first.specs, {})
    second.look(second.demand(scopes.project(ORG, there)))
    second.snapshots.save(second.specs, {})
    moments = {(one[0], one[1]): one[3] for one in second.stored()["facts"]}

    assert moments["queues", here] == moments["queues", there] == max(moments.values())
    assert len(moments) == 2 * PROJECTS + 1


def test_what_was_read_later_or_hinted_at_here_outweighs_what_is_stored(first: Instance) -> None:
    second = Instance(first)
    project = second.estate.projects[ORG][0]
    second.planner.survey(second.specs, demand=second.demand()).projects(ORG)
    second.evidence.hint(scopes.project(ORG, project.id), second.now())
    second.snapshots.load(second.specs)

    assert second.reads(second.demand())["queues"] == 1


def test_what_was_learned_of_lists_is_in_the_same_document_and_neither_part_loses_the_other(first: Instance) -> None:
    shown, longer = ListEvidence(agreed=3, longest=7), ListEvidence(agreed=4, longest=8)
    first.snapshots.save(first.specs, {ORG: shown})
    second = Instance(first)
    assert second.snapshots.load(second.specs) == {ORG: shown}

    save_evidence(first.shelf, {ORG: longer})
    second.look(second.demand(scopes.projects(ORG)))
    second.snapshots.save(second.specs, {})

    assert first.snapshots.load(first.specs) == load_evidence(first.shelf, first.specs) == {ORG: longer}
    assert len(first.stored()["facts"]) == 2 * PROJECTS + 1


@pytest.mark.parametrize(
    "body", [None, {}, [], "text", {"zlib": "?"}, packed([]), packed({"format": 99}), packed({"format": 1, "facts": 7})]
)
def test_what_cannot_be_read_is_as_none(first: Instance, body: Any) -> None:
    first.store(body)
    second = Instance(first)

    second.snapshots.load(second.specs)
    assert second.reads(second.demand())["queues"] == PROJECTS
    second.snapshots.save(second.specs, {})
    assert len(second.stored()["facts"]) == 2 * PROJECTS + 1


@pytest.mark.parametrize("damage", [["queues", 7, "1,2", 5, {}], ["queues", "p", "1,2", "x", {}], ["authorized", "p"]])
def test_one_damaged_fact_makes_all_of_them_unknown(first: Instance, damage: list[Any]) -> None:
    stored = first.stored()
    first.store(packed({**stored, "facts": [*stored["facts"], damage]}))
    second = Instance(first)
    second.snapshots.load(second.specs)

    assert second.reads(second.demand())["queues"] == PROJECTS


def test_facts_ahead_of_the_clock_or_beyond_the_maximum_age_are_not_believed(first: Instance) -> None:
    second = Instance(first)
    second.clock.seconds -= 3600
    second.snapshots.load(second.specs)
    assert second.reads(second.demand())["queues"] == PROJECTS

    third = Instance(first)
    third.clock.seconds += 3600 + 5 * 3600
    third.snapshots.load(third.specs)
    assert third.evidence.projects(ORG) is None


def test_distrust_of_a_feed_outlives_the_process(first: Instance) -> None:
    stored = first.stored()
    until = (first.now() + timedelta(hours=20)).isoformat()
    first.store(packed({**stored, "feed": {"gaps": [], "until": until}}))
    second = Instance(first)
    second.snapshots.load(second.specs)
    second.evidence.heard(ORG, Feed(second.now(), timedelta(minutes=5), whole=True))

    assert second.evidence.quiet() == frozenset()
    assert ORG in second.evidence.distrusted()
    second.clock.seconds += DAY.total_seconds()
    second.evidence.heard(ORG, Feed(second.now(), timedelta(minutes=5), whole=True))
    assert second.evidence.quiet() == {ORG}


@pytest.mark.parametrize(("bound", "value"), [("LARGEST", 500), ("MOST", 5)])
def test_a_document_is_bounded_by_leaving_out_what_was_read_first(
    first: Instance, monkeypatch: pytest.MonkeyPatch, bound: str, value: int
) -> None:
    monkeypatch.setattr(snapshots, bound, value)
    project = first.estate.projects[ORG][0].id
    first.look(first.demand(scopes.project(ORG, project)))
    first.snapshots.save(first.specs, {})

    document = first.shelf.load(NAME)
    assert document is not None
    assert len(json.dumps(document.body)) <= 600
    assert project in {one[1] for one in first.stored()["facts"]}
