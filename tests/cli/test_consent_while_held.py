"""What `apply` asks about where windows hold changes back: by the same gate as its runs."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler import bootstrap
from reconciler.adapters.clock import SystemClock
from reconciler.cli import consent
from reconciler.cli.screen import Screen
from reconciler.cli.selection import Selection, settings_of
from reconciler.config.settings import Settings
from reconciler.engine import Outcome
from reconciler.engine.status import PoolStatus
from reconciler.engine.stored import Replacing
from reconciler.plan.policy import Policy, Window
from reconciler.plan.targets import CreatePool, Risk
from reconciler.ports.stores import pool_document
from tests.engine.stage import SPEC
from tests.engine.test_pauses_and_windows import HOUR, within
from tests.engine.test_safety_modes import BOTH, governed
from tests.keeping import START


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECONCILER_STATE", str(tmp_path / "state.db"))
    return settings_of(str(tmp_path))


def test_a_window_that_opens_after_the_plans_were_shown_lets_nothing_out_unasked(settings: Settings) -> None:
    """What waits is not asked about, so a run that begins a moment later, inside the window, has no consent."""
    stage = within()
    found = consent.shown(stage.reconciler, settings, Selection((BOTH,), (), "c0ffee", 1, named=True), Screen())
    assert found.plans["pool-1"].changes
    assert not found.writes

    stage.clock.seconds = 10 * HOUR
    result = stage.run(BOTH, approved=found.agreed["pool-1"])

    assert (result.outcome, stage.estate.writes) == (Outcome.OUT_OF_SYNC, [])


def test_a_pool_that_is_being_replaced_is_asked_about_as_its_run_creates_it(settings: Settings) -> None:
    """Its creation waits for no window, so the run writes, and a person has to agree."""
    stage, spec = governed(), replace(BOTH, body={"tags": {"team": "build"}})
    stage.estate.arm.clear()
    stage.estate.pools.clear()
    stage.policy = Policy(windows=(Window((Risk.NEUTRAL,), "0 22 * * *", "UTC", timedelta(hours=2)),))
    chosen = Selection((spec,), (), "c0ffee", 1, named=True)
    assert any(isinstance(one.target, CreatePool) for one in stage.plan(spec).changes)
    assert not consent.shown(stage.reconciler, settings, chosen, Screen()).writes, "a new pool waits"

    note = Replacing("body", "pool-1: a → b", "c0ffee", START)
    with closing(bootstrap.store(settings, SystemClock())) as kept:
        kept.state.save(pool_document(SPEC.key), PoolStatus(SPEC.key, replacing=note).to_json(), None)
    found = consent.shown(stage.reconciler, settings, chosen, Screen())

    assert found.writes
    assert found.plans["pool-1"].not_applied == ()
