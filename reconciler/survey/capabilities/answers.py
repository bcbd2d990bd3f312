"""What was seen of organizations, and when: the values, as strict as the file that they come from.

Evidence is status codes, counts and names of headers. Names of people, tokens and bodies have no place here: there is
no field that could hold them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, field_validator

from reconciler.documents import moment, moment_of
from reconciler.survey.capabilities import questions
from reconciler.survey.capabilities.beliefs import CAREFUL, Beliefs
from reconciler.survey.capabilities.marks import MARKS, others_with
from reconciler.survey.capabilities.questions import COMPLETE

FORMAT: Literal["reconciler/capabilities/v1"] = "reconciler/capabilities/v1"
LASTS = 90
"""Days for which an answer counts, unless the deployment says otherwise."""
WITNESSES = 3
"""Things that a list has to agree on before it is called complete."""

Verdict: TypeAlias = Literal["seen yes", "seen no", "could not tell"]
"""How sure an answer is. What was not asked has no entry."""
Word: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9 -]{0,39}$")]
"""Name of a count, or of a header."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True)


class AnswerEvidence(_Strict):
    """What an answer rests on."""

    status: list[int] = []
    """HTTP statuses that were answered, each once, sorted."""
    counts: dict[Word, int] = {}
    headers: list[Word] = []


class CapabilityAnswer(_Strict):
    """One question, answered."""

    verdict: Verdict
    answer: Annotated[str, Field(max_length=40)] = ""
    """One of the question's words; empty where it could not be told."""
    why: Annotated[str, Field(max_length=400)] = ""
    """For people: what was compared, or what would be needed to tell."""
    evidence: AnswerEvidence = AnswerEvidence()

    @property
    def known(self) -> bool:
        """Whether it is an answer."""
        return self.verdict != "could not tell"

    def __str__(self) -> str:
        return f"{self.verdict} ({self.answer})" if self.answer else self.verdict


class OrganizationAnswers(_Strict):
    """What was asked of one organization at one time."""

    asked: str
    """When, in UTC, to the second."""
    answers: dict[str, CapabilityAnswer]
    """Question → answer; a question that is missing was not asked."""

    @field_validator("asked")
    @classmethod
    def _a_moment(cls, value: str) -> str:
        found = moment_of(value)
        if found is None or moment(found.replace(microsecond=0)) != value:
            raise ValueError("is no moment; write it as 2026-11-22T16:00:00Z")
        return value

    @property
    def at(self) -> datetime:
        """When."""
        return moment_of(self.asked) or datetime.min.replace(tzinfo=UTC)

    def word(self, question: str) -> str:
        """The answer to a question; empty where there is none."""
        found = self.answers.get(question)
        return found.answer if found is not None and found.known else ""

    def beliefs(self, *, fresh: bool) -> Beliefs:
        """What follows. Of answers that are too old only those count that make the operator more careful."""
        lists = self.word(questions.AUTHORIZED_LIST)
        compared = self.answers[questions.AUTHORIZED_LIST].evidence.counts.get("agreed", 0) if lists else 0
        if (lists == COMPLETE and compared < WITNESSES) or (lists in (COMPLETE, questions.REFUSED) and not fresh):
            lists = ""
        return Beliefs(
            authorized=lists,
            queues_everywhere=fresh and self.word(questions.QUEUE_LIST) == COMPLETE,
            marks=self._marks(),
        )

    def _marks(self) -> frozenset[str]:
        """Marks that enough agent pools agreed on; an old answer counts too, since it only asks for more proof."""
        answer = self.answers.get(questions.MARKS)
        if answer is None or answer.verdict != "seen yes":
            return frozenset()
        counts = answer.evidence.counts
        pools = counts.get("pools", 0)
        return frozenset(
            mark
            for mark in MARKS
            if pools >= WITNESSES and counts.get(mark) == pools and not counts.get(others_with(mark))
        )


class Capabilities(_Strict):
    """Everything that was asked, by organization."""

    format: Literal["reconciler/capabilities/v1"] = FORMAT
    not_asked: dict[str, dict[str, str]] = Field(default={}, alias="notAsked")
    """For people: what `probe` leaves to them."""
    organizations: dict[str, OrganizationAnswers] = {}

    def stale(self, now: datetime, days: float = LASTS) -> Mapping[str, int]:
        """Organizations whose answers are too old to count, with their age in days."""
        ages = {name: now - asked.at for name, asked in sorted(self.organizations.items())}
        return {name: age.days for name, age in ages.items() if age > timedelta(days=days)}

    def beliefs(self, now: datetime, days: float = LASTS) -> Mapping[str, Beliefs]:
        """What follows for each organization that was asked. A moment that is still to come is as good as too old."""
        stale = self.stale(now, days)
        found = {
            name: asked.beliefs(fresh=name not in stale and asked.at <= now + timedelta(days=1))
            for name, asked in self.organizations.items()
        }
        return {name: beliefs for name, beliefs in found.items() if beliefs != CAREFUL}
