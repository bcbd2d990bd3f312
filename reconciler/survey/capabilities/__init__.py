"""Observed behaviour of an organization where no documentation describes it, and what follows for reads.

Sixteen questions about the services have no published answer. `probe` answers those that reading can answer; the
results are in a file of the deployment, never of the spec repository: an author who could claim there that a list is
complete could make an open queue pass for a closed one. Without an answer, conservative defaults apply.

::

    questions  the sixteen, each with its words, and the way to ask by hand what `probe` does not ask
    answers    what was seen of one organization, and when (`CapabilityAnswer`, `OrganizationAnswers`, `Capabilities`)
    beliefs    what the operator does differently because of it (`Beliefs`)
    document   the file: strict reading with a line for each problem, writing, and what changed

`answers` and `document` need pydantic and are imported where there is a file.
"""

from __future__ import annotations

from reconciler.survey.capabilities.beliefs import CAREFUL, Beliefs
from reconciler.survey.capabilities.questions import QUESTIONS, ProbeQuestion, named

__all__ = [
    "CAREFUL",
    "QUESTIONS",
    "Beliefs",
    "ProbeQuestion",
    "named",
]
