"""Is what was found out about an organization fresh enough to count, and does a spec ask for what cannot be seen there.

Old answers do no harm: the careful way is taken again. But somebody counted on the cheaper one, and is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from reconciler import intent
from reconciler.capabilities import Capabilities
from reconciler.capabilities.questions import INHERITANCE
from reconciler.checks import Check, Verdict
from reconciler.rights import Grant
from reconciler.spec.model import Mode, Spec


def known(specs: Sequence[Spec], capabilities: Capabilities, now: datetime, days: float) -> tuple[Check, ...]:
    """A check for each organization of the specs that was asked, and for each inheritance that cannot be seen."""
    wanted = sorted({one.name for spec in specs for one in spec.organizations} & capabilities.organizations.keys())
    fresh = [_fresh(name, capabilities.stale(now, days).get(name), days) for name in wanted]
    return (*fresh, *_blind(specs, capabilities))


def _fresh(name: str, age: int | None, days: float) -> Check:
    command = f"python -m reconciler probe {name}, and deploy the file"
    grant = Grant("new answers", name, "whoever deploys the operator", command)
    detail = "" if age is None else f"asked {age} days ago, and answers count for {days:g}; the careful way is taken"
    verdict = Verdict.OK if age is None else Verdict.MISSING
    return Check(name, "know what was found out by asking", Mode.REPORT, verdict, grant, detail, advice=True)


def _blind(specs: Sequence[Spec], capabilities: Capabilities) -> Iterator[Check]:
    for spec in specs:
        for name in sorted(one.name for one in spec.organizations):
            asked = capabilities.organizations.get(name)
            if asked and asked.word(INHERITANCE) == "apart" and intent.inheritance(spec, name) is not None:
                grant = Grant("inherit left out of the spec", spec.name, "whoever writes specs", "docs/capabilities.md")
                detail = "the access control list was seen not to show the switch, so what is wanted is never seen"
                what = f"see whether agent pool {spec.name} inherits roles"
                yield Check(name, what, Mode.REPORT, Verdict.MISSING, grant, detail, advice=True)
