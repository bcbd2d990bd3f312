"""Whether the answers of `probe` still count, and whether a spec manages what cannot be read in an organization.

Stale answers do no harm: conservative defaults apply again. The deployment counted on the cheaper reads, so doctor
reports it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from reconciler.plan.rights.checks import Check, CheckResult
from reconciler.plan.rights.required import Grant
from reconciler.spec import effective
from reconciler.spec.model import Mode, Spec
from reconciler.survey.capabilities.answers import Capabilities
from reconciler.survey.capabilities.questions import INHERITANCE


def capability_checks(
    specs: Sequence[Spec], capabilities: Capabilities, now: datetime, days: float
) -> tuple[Check, ...]:
    """A check for each organization of the specs that was probed, and for each inheritance that cannot be read."""
    names = sorted({one.name for spec in specs for one in spec.organizations} & capabilities.organizations.keys())
    fresh = [_fresh(name, capabilities.stale(now, days).get(name), days) for name in names]
    return (*fresh, *_unreadable(specs, capabilities))


def _fresh(name: str, age: int | None, days: float) -> Check:
    command = f"python -m reconciler probe {name}, and deploy the file"
    grant = Grant("new answers", name, "the administrator of the deployment", command)
    detail = "" if age is None else f"probed {age} days ago, answers count for {days:g}; conservative defaults apply"
    verdict = CheckResult.OK if age is None else CheckResult.MISSING
    return Check(name, "have current answers of probe", Mode.REPORT, verdict, grant, detail, advice=True)


def _unreadable(specs: Sequence[Spec], capabilities: Capabilities) -> Iterator[Check]:
    for spec in specs:
        for name in sorted(one.name for one in spec.organizations):
            answers = capabilities.organizations.get(name)
            if answers and answers.word(INHERITANCE) == "apart" and effective.inheritance(spec, name) is not None:
                grant = Grant(
                    "inherit left out of the spec", spec.name, "the author of the spec", "docs/capabilities.md"
                )
                detail = "the access control list does not show the switch there, so a write is never verified"
                what = f"read whether agent pool {spec.name} inherits roles"
                yield Check(name, what, Mode.REPORT, CheckResult.MISSING, grant, detail, advice=True)
