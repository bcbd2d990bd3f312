"""How an answer is put together. The statuses are added by whoever asked."""

from __future__ import annotations

from reconciler.survey.capabilities.answers import AnswerEvidence, CapabilityAnswer
from reconciler.survey.capabilities.questions import named


def yes(question: str, why: str, **counts: int) -> CapabilityAnswer:
    """It was seen."""
    return CapabilityAnswer(
        verdict="seen yes", answer=named[question].yes, why=why, evidence=AnswerEvidence(counts=counts)
    )


def no(word: str, why: str, **counts: int) -> CapabilityAnswer:
    """It was seen to be otherwise, in the way of `word`."""
    return CapabilityAnswer(verdict="seen no", answer=word, why=why, evidence=AnswerEvidence(counts=counts))


def unclear(why: str, **counts: int) -> CapabilityAnswer:
    """It could not be told; `why` says what would be needed."""
    return CapabilityAnswer(verdict="could not tell", why=why, evidence=AnswerEvidence(counts=counts))
