"""What an organization was seen to do where nothing published says what it does, and what follows from that.

Sixteen questions about the services have no published answer. `probe` asks those that can be asked by reading; the
answers lie in a file of the deployment, never of the spec repository: whoever could write there that a list is
complete could let something open pass for closed. What was not asked, or could not be told, keeps the careful way.

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
