"""What answers say of the rate limit. A call's cost shows under load alone, and making load is no question."""

from __future__ import annotations

from reconciler.capabilities import Answer, Evidence
from reconciler.capabilities.questions import RATES
from reconciler.probing.answer import unclear, yes
from reconciler.probing.ground import Ground


def rates(ground: Ground) -> Answer:
    """The names of the headers; asked last, of all answers before."""
    told = [one for one in ground.rates if one]
    counts = {"calls": len(ground.rates), "told": len(told)}
    if not told:
        return unclear("no answer was slowed; they say so under load", **counts)
    names = sorted({name for one in told for name in one})
    found = yes(RATES, "some answers carry headers of the rate limit", **counts)
    return found.model_copy(update={"evidence": Evidence(counts=counts, headers=names)})
