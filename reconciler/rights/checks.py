"""One question to a service, and what to do about the answer.

`asked` files an answer, `seen` marks what a read that failed says of the question: nothing. Whether somebody may be
kept waiting by an answer is for those who ask.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

from reconciler.documents import Json
from reconciler.errors import Forbidden, NotFound, NotReady, ReconcilerError, Unavailable
from reconciler.rights.required import Grant
from reconciler.spec.model import Mode

T = TypeVar("T")


class CheckResult(StrEnum):
    """The answer."""

    OK = "ok"
    MISSING = "missing"
    UNKNOWN = "unknown"
    """It could not be asked; that is no answer."""


@dataclass(frozen=True, slots=True)
class Check:
    """One question, answered."""

    place: str
    """``fabrikam-prime/Web``, or a resource id."""
    what: str
    """``read queues``."""
    mode: Mode
    """The least mode that needs it."""
    verdict: CheckResult
    grant: Grant
    detail: str = ""
    """What the service said."""
    advice: bool = False
    """Whether what is missing is something else than a right; then `grant.role` says what."""

    def to_json(self) -> dict[str, Json]:
        """The documented form; the grant only where it is missing."""
        document: dict[str, Json] = {
            "place": self.place,
            "what": self.what,
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


def asked(subject: Subject, question: Callable[[], object]) -> Check:
    """Ask; an answer of False is a right that is missing, and so is a refusal. Anything else that fails is unknown."""
    try:
        answer = question()
    except (Forbidden, NotFound, NotReady) as error:
        return _check(subject, CheckResult.MISSING, str(error))
    except ReconcilerError as error:
        return _check(subject, CheckResult.UNKNOWN, str(error))
    return _check(subject, CheckResult.MISSING if answer is False else CheckResult.OK)


def _check(subject: Subject, verdict: CheckResult, detail: str = "") -> Check:
    return Check(subject.place, subject.what, subject.mode, verdict, subject.grant, detail)


def seen(what: str, read: Callable[[], T]) -> T:
    """What a read gives; where it fails for whatever reason, nothing is known: `Unavailable`, and so no answer."""
    try:
        return read()
    except ReconcilerError as error:
        raise Unavailable(f"{what} cannot be read: {error}", retry_after=error.retry_after) from None


def told(check: Check) -> Check:
    """The same check, about something else than a right."""
    return replace(check, advice=True)
