"""Gives what is missing: one kind of step after the other, and a look after each.

Nothing counts as given that a look has not found. An access level comes first, since without it there is nobody; then
what only reads, then roles, so that whoever is stopped half-way has left an identity that sees more than it may change.
Every write is safe to repeat, and none can take anything away.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from reconciler.errors import ReconcilerError, Rejected, Throttled, Transient
from reconciler.ports.devops import DevOpsWriter, MembershipWriter
from reconciler.tools.onboard.observe import OrganizationReader
from reconciler.tools.onboard.requirements import OrganizationState
from reconciler.tools.onboard.step import ORDER, Add, Assign, Join, Leave, OnboardStep, Raise, Standing, StepKind, View

TRIES = 3
"""How often a write is tried that time may heal."""
PAUSE, LONGEST_PAUSE = 1.0, 15.0
"""Seconds until it is worth looking again for what a write has not shown yet; twice as long each time."""
BLIND_PAUSE = 30.0
"""Seconds to stay away where the service says «too many» and not how long."""


@dataclass(frozen=True, slots=True)
class OnboardingWriters:
    """What giving writes with."""

    devops: DevOpsWriter
    members: MembershipWriter

    def give(self, step: OnboardStep, object_id: str, seen: OrganizationState) -> None:
        """Do what one step says; errors are those of `reconciler.errors`."""
        match step.act:
            case Add(license_type):
                self._add(step.organization, object_id, license_type)
            case Raise(license_type):
                self.members.set_license(step.organization, seen.identity_id, license_type)
            case Join(group) if seen.principal:
                self.members.join(step.organization, seen.principal.descriptor, group)
            case Assign(scope, resource, role):
                self.devops.assign_role(step.organization, scope, resource, seen.identity_id, role)

    def _add(self, organization: str, object_id: str, license_type: str) -> None:
        try:
            self.members.add(organization, object_id, license_type)
        except Rejected as refusal:
            raise Rejected(
                f"{refusal}; the id has to be the object id of an enterprise application in the tenant that the "
                f"organization is connected to: az ad sp show --id {object_id} --query id"
            ) from None


@dataclass(frozen=True, slots=True)
class Round:
    """One look, and what was done about it."""

    view: View
    wait: float | None = None
    """Seconds until another round is worth it; None where nothing is left that another could do."""


class Giving:
    """Onboards one organization, round after round."""

    def __init__(
        self, object_id: str, lookout: OrganizationReader, hand: OnboardingWriters, tell: Callable[[OnboardStep], None]
    ) -> None:
        """`tell` is called before each write; what it raises ends the run at that boundary."""
        self._object_id = object_id
        self._lookout = lookout
        self._hand = hand
        self._tell = tell
        self._given: set[tuple[StepKind, str]] = set()
        self._tried: dict[tuple[StepKind, str], int] = {}
        self._errors: dict[tuple[StepKind, str], ReconcilerError] = {}
        self._pauses = 0
        self._view: View | None = None
        """The last look that showed something: one that fails half-way is made again, and does not undo it."""
        self._blind = 0

    def round(self) -> Round:
        """Look; give the next kind of what is missing. `Throttled` where the service wants to be left alone."""
        view = self._lookout.look()
        if self._view is not None and all(step.standing is Standing.UNKNOWN for step in view.steps):
            self._blind += 1
            return Round(self._told(self._view), self._pause() if self._blind < TRIES else None)
        self._view = view
        waited = [step for step in view.steps if self._is_open(step) and step.key in self._given]
        fresh = [step for step in view.steps if self._is_open(step) and step.key not in self._given]
        shut = any(step.kind is StepKind.MEMBER and step.standing is Standing.MISSING for step in view.steps)
        ready = [
            step for step in fresh if step.kind is StepKind.MEMBER or (self._lookout.seen.identity_id and not shut)
        ]
        if ready:
            first = min(ORDER.index(step.kind) for step in ready)
            wait = self._write([step for step in ready if ORDER.index(step.kind) == first])
            return Round(self._told(view), wait or (self._pause() if self._again() else 0.0))
        for step in waited:
            self._lookout.forget(step)
        return Round(self._told(view), self._pause() if waited else None)

    def end(self, view: View, seconds: float) -> View:
        """The last view, once no further look will be taken: what was given and never seen has failed."""
        without = (Standing.MISSING, Standing.FAILED)
        shut = any(step.kind is StepKind.MEMBER and step.standing in without for step in view.steps)
        return replace(view, steps=tuple(self._ended(step, seconds, shut=shut) for step in view.steps))

    def _ended(self, step: OnboardStep, seconds: float, *, shut: bool) -> OnboardStep:
        if step.standing is not Standing.MISSING:
            return step
        if step.key in self._given:
            unseen = f"answered with success, and not seen after {seconds:.0f} s"
            return replace(step, standing=Standing.FAILED, detail=unseen)
        return replace(step, standing=Standing.LEFT, detail=step.detail or _why_left(step, shut=shut))

    def _is_open(self, step: OnboardStep) -> bool:
        possible = step.standing is Standing.MISSING and step.act is not None and step.leave is not Leave.NO
        return possible and step.key not in self._errors

    def _write(self, steps: list[OnboardStep]) -> float:
        """Give these; the seconds for which the service wants to be left alone, 0 where it does not."""
        for step in steps:
            self._tell(step)
            try:
                self._hand.give(step, self._object_id, self._lookout.seen)
            except Throttled as error:
                return error.retry_after or BLIND_PAUSE
            except ReconcilerError as error:
                self._failed(step, error)
            else:
                self._given.add(step.key)
            finally:
                self._lookout.forget(step)
        return 0.0

    def _failed(self, step: OnboardStep, error: ReconcilerError) -> None:
        tries = self._tried[step.key] = self._tried.get(step.key, 0) + 1
        if not isinstance(error, Transient) or tries >= TRIES:
            self._errors[step.key] = error

    def _again(self) -> bool:
        """Whether something has to be tried again, which at once would help nobody."""
        return any(key not in self._given and key not in self._errors for key in self._tried)

    def _pause(self) -> float:
        self._pauses += 1
        return float(min(PAUSE * 2 ** (self._pauses - 1), LONGEST_PAUSE))

    def _told(self, view: View) -> View:
        return replace(view, steps=tuple(map(self._judged, view.steps)))

    def _judged(self, step: OnboardStep) -> OnboardStep:
        if step.standing is Standing.HELD and step.key in self._given:
            return replace(step, standing=Standing.GIVEN)
        if step.standing is Standing.MISSING and step.key in self._errors:
            return replace(step, standing=Standing.FAILED, detail=str(self._errors[step.key]))
        return step


def _why_left(step: OnboardStep, *, shut: bool) -> str:
    if step.leave is Leave.NO:
        return "you may not give it"
    if step.act is None:
        return "to be done by hand"
    return "waits for the access level" if shut and step.kind is not StepKind.MEMBER else "the time was up before"
