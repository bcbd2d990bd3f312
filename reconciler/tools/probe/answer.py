"""How an answer is put together. The statuses are added by whoever asked."""

from __future__ import annotations

from reconciler.survey.capabilities import Answer, Evidence
from reconciler.survey.capabilities.questions import named


def yes(question: str, why: str, **counts: int) -> Answer:
    """It was seen."""
    return Answer(verdict="seen yes", answer=named[question].yes, why=why, evidence=Evidence(counts=counts))


def no(word: str, why: str, **counts: int) -> Answer:
    """It was seen to be otherwise, in the way of `word`."""
    return Answer(verdict="seen no", answer=word, why=why, evidence=Evidence(counts=counts))


def unclear(why: str, **counts: int) -> Answer:
    """It could not be told; `why` says what would be needed."""
    return Answer(verdict="could not tell", why=why, evidence=Evidence(counts=counts))
