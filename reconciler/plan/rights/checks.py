"""One check of one right or prerequisite, and its result.

`run_check` turns the outcome of a read into a result; `read_or_unavailable` marks a read whose failure says nothing
about the right itself. What follows from a result is the caller's decision.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

from reconciler.documents import Json
from reconciler.errors import Forbidden, NotFound, NotReady, ReconcilerError, Unavailable
from reconciler.plan.rights.required import Grant, Requirement
from reconciler.spec.model import Mode

T = TypeVar("T")


class CheckResult(StrEnum):
    """What a check found."""

    OK = "ok"
    MISSING = "missing"
    UNKNOWN = "unknown"
    """The read failed, which says nothing about the right."""


@dataclass(frozen=True, slots=True)
class Check:
    """One right or prerequisite, and whether it is there."""

    place: str
    """``fabrikam-prime/Web``, or a resource id."""
    what: str
    """``read queues``."""
    mode: Mode
    """The least mode that needs it."""
    verdict: CheckResult
    grant: Grant
    detail: str = ""
    """The service's reason."""
    advice: bool = False
    """Whether something other than a right is missing; then `grant.role` says what."""
    requirement: str = ""
    """Id of the requirement in `reconciler.plan.rights.required` that this evaluates; empty for everything else."""

    def to_json(self) -> dict[str, Json]:
        """The documented form; the grant only where it is missing."""
        document: dict[str, Json] = {
            "place": self.place,
            "what": self.what,
            "requirement": self.requirement,
            "mode": self.mode.value,
            "verdict": self.verdict.value,
            "detail": self.detail,
        }
        if self.verdict is CheckResult.MISSING:
            grant = self.grant
            document["grant"] = {"role": grant.role, "where": grant.where, "whom": grant.whom, "remedy": grant.remedy}
        return document


@dataclass(frozen=True, slots=True)
class Subject:
    """What a check is about."""

    place: str
    what: str
    mode: Mode
    grant: Grant
    requirement: str = ""

    @classmethod
    def of_requirement(cls, requirement: Requirement, whom: str) -> Subject:
        """The subject of a check that evaluates a requirement of the list; `whom`: the identity, for people."""
        grant = requirement.grant(whom)
        return cls(requirement.subject, requirement.what, requirement.mode, grant, requirement.id)


def run_check(subject: Subject, read: Callable[[], object]) -> Check:
    """Read; False means that the right is missing, and so does a refusal. Any other failure is unknown."""
    try:
        answer = read()
    except (Forbidden, NotFound, NotReady) as error:
        return _check(subject, CheckResult.MISSING, str(error))
    except ReconcilerError as error:
        return _check(subject, CheckResult.UNKNOWN, str(error))
    return _check(subject, CheckResult.MISSING if answer is False else CheckResult.OK)


def _check(subject: Subject, verdict: CheckResult, detail: str = "") -> Check:
    return Check(
        subject.place,
        subject.what,
        subject.mode,
        verdict,
        subject.grant,
        detail,
        requirement=subject.requirement,
    )


def read_or_unavailable(what: str, read: Callable[[], T]) -> T:
    """The value of a read; any failure becomes `Unavailable`, so that the check is unknown and not missing."""
    try:
        return read()
    except ReconcilerError as error:
        raise Unavailable(f"{what} cannot be read: {error}", retry_after=error.retry_after) from None


def as_advice(check: Check) -> Check:
    """The same check, about something other than a right."""
    return replace(check, advice=True)
