"""What the operator does differently in one organization because of what `probe` found there.

A belief replaces a read by a cheaper one where nothing would be written: what contradicts the spec is read precisely,
and a plan with changes is made again without them. A mark is a proof that is asked for in addition. A belief that is
wrong costs calls, time until drift is noticed, or an approval; never a wrong write.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from reconciler.survey.capabilities.questions import COMPLETE, REFUSED


@dataclass(frozen=True, slots=True)
class Beliefs:
    """About one organization; the defaults are the conservative ones."""

    authorized: str = ""
    """The list of authorized resources: ``complete``, what is missing from it is closed until the first miss;
    ``incomplete``, never; ``refused``, it is not requested. Empty: it has to be shown complete first."""
    queues_everywhere: bool = False
    """Whether one list of queues is read for all projects; a project that is missing from it is still read itself."""
    marks: frozenset[str] = frozenset()
    """What the agent pools of Managed DevOps Pools carry, and no other: a further proof of whose an agent pool is."""

    @property
    def trusting(self) -> bool:
        """Whether a cheap read is used that a decision to write must not rest on."""
        return self.queues_everywhere or self.authorized == COMPLETE

    @property
    def precise(self) -> Beliefs:
        """What is left of it where something may be written."""
        authorized = "" if self.authorized == COMPLETE else self.authorized
        return replace(self, authorized=authorized, queues_everywhere=False)

    @property
    def listless(self) -> bool:
        """Whether the list of authorized resources is not worth a request."""
        return self.authorized == REFUSED


CAREFUL = Beliefs()
"""Nothing was found: conservative defaults."""
