"""One step of onboarding as a value: it can be printed, compared and counted, and holds nothing that could write."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from reconciler.documents import Json
from reconciler.rights.required import Grant


class StepKind(StrEnum):
    """What a step gives, in the order of giving: what only reads comes before what may change something."""

    MEMBER = "member"
    """An access level; without it there is nobody to give anything to."""
    PROJECT = "project"
    """A place in a project's group Readers."""
    POOLS = "pools"
    """A role on all agent pools of the organization."""
    QUEUES = "queues"
    """A role on all agent pools of a project."""


ORDER = tuple(StepKind)


class Standing(StrEnum):
    """How a step stands."""

    HELD = "held"
    """It was there before."""
    GIVEN = "given"
    """It was given now, and seen afterwards."""
    MISSING = "missing"
    LEFT = "left"
    """It is missing, and giving was not tried: the caller may not, or something before it is missing."""
    FAILED = "failed"
    """Giving was tried."""
    UNKNOWN = "unknown"
    """It could not be asked; that is no answer."""


class Leave(StrEnum):
    """Whether the caller may give it, as far as that can be told without trying."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Add:
    """Make the service principal a member with this access level."""

    license_type: str


@dataclass(frozen=True, slots=True)
class Raise:
    """Give a member a higher access level."""

    license_type: str


@dataclass(frozen=True, slots=True)
class Join:
    """Put the identity into a group, by the group's descriptor."""

    group: str


@dataclass(frozen=True, slots=True)
class Assign:
    """Give the identity a role on a resource of a role scope."""

    scope: str
    resource: str
    role: str


Act: TypeAlias = Add | Raise | Join | Assign


@dataclass(frozen=True, slots=True)
class OnboardStep:
    """One thing that the identity needs."""

    kind: StepKind
    organization: str
    place: str
    """``fabrikam-prime`` or ``fabrikam-prime/Web``."""
    what: str
    """``Administrator on all agent pools``."""
    why: str
    grant: Grant
    """The way by hand."""
    who: str
    """Who may give it."""
    standing: Standing
    detail: str = ""
    """Through what it is held, or what the service said."""
    act: Act | None = None
    """What giving would do; None where it is held, not known, or only possible by hand."""
    token: str = ""
    """Where in the security namespace DistributedTask the caller has to administer to give it; empty: elsewhere."""
    leave: Leave = Leave.UNKNOWN

    @property
    def key(self) -> tuple[StepKind, str]:
        """The same step in the next look."""
        return self.kind, self.place

    def to_json(self) -> dict[str, Json]:
        """The documented form; the way by hand only where something is left to do."""
        document: dict[str, Json] = {
            "kind": self.kind.value,
            "place": self.place,
            "what": self.what,
            "why": self.why,
            "standing": self.standing.value,
            "detail": self.detail,
        }
        if self.standing not in (Standing.HELD, Standing.GIVEN):
            document |= {"callerMay": self.leave.value, "whoMay": self.who, "byHand": self.grant.remedy}
        return document


@dataclass(frozen=True, slots=True)
class View:
    """One organization as it was looked at."""

    organization: str
    identity: str
    """Name of the identity there, or in its directory; empty where nobody says."""
    steps: tuple[OnboardStep, ...] = ()
    notes: tuple[str, ...] = ()
    """What is worth knowing and no step."""

    def to_json(self) -> dict[str, Json]:
        """The documented form."""
        steps = [step.to_json() for step in self.steps]
        return {
            "organization": self.organization,
            "identity": self.identity,
            "notes": list(self.notes),
            "steps": steps,
        }
