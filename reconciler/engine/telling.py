"""What people read about one run: who made the drift, and whether people may be named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reconciler.documents import JsonObject
from reconciler.engine.attribution import Attribution
from reconciler.engine.notices import RunFindings
from reconciler.engine.run_state import RunState
from reconciler.engine.sightings import StateReads
from reconciler.plan.model import Change
from reconciler.plan.sync import SyncCause
from reconciler.spec.model import Spec


def told(
    state: StateReads,
    spec: Spec,
    run: RunState,
    actors: Mapping[str, JsonObject | None] | None = None,
    *,
    named: bool,
    fights: Sequence[str] = (),
) -> RunFindings:
    """`actors`: who made the drift of what was written, as it was recorded; others are looked up for a line."""
    known, attribution = actors or {}, Attribution(state, spec, run.basis.survey, SyncCause.DRIFT)

    def blame(change: Change) -> JsonObject | None:
        return known[change.id] if change.id in known else attribution.blame(change)

    return RunFindings(blame=blame, named=named, fights=fights)
