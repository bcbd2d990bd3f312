"""Records who the deployed service is in each organization, so that runs from elsewhere protect that identity."""

from __future__ import annotations

from contextlib import suppress

from reconciler.engine.planner import Planner
from reconciler.engine.run_state import RunState
from reconciler.errors import ReconcilerError
from reconciler.safety import Safety
from reconciler.safety.operators import RecordedOperator


class OperatorRecords:
    """Once in a process for each organization."""

    def __init__(self, safety: Safety | None, planner: Planner) -> None:
        """`safety`: where they are recorded; None: nowhere."""
        self._safety = safety
        self._planner = planner
        self._recorded: set[str] = set()

    def record(self, run: RunState, known: Safety | None = None) -> None:
        """Record the caller in the organizations of a run.

        `known`: where what is recorded is read without a transaction.
        """
        if self._safety is None or not self._planner.operators.deployed:
            return
        for name in sorted({one.name for one in run.basis.spec.organizations} - self._recorded):
            caller = run.basis.survey.people(name).caller()
            if caller is None:
                continue
            shown = RecordedOperator(caller.id, caller.display_name or caller.unique_name)
            with suppress(ReconcilerError):  # the service knows itself; the next run records it
                if known is None or known.recorded_operators().get(name) != shown:
                    self._safety.record_operator(name, shown.id, shown.name)
                self._recorded.add(name)
