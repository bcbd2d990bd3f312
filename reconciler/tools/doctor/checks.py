"""Is what was found out about an organization fresh enough to count, and does a spec ask for what cannot be seen there.

Old answers do no harm: the careful way is taken again. But somebody counted on the cheaper one, and is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from reconciler.facets.support import prerequisites
from reconciler.ports.azure_resources import AzureResourcesReader
from reconciler.ports.devops import DevOpsReader
from reconciler.ports.readers_writers import Readers
from reconciler.rights.checks import Check, CheckResult
from reconciler.rights.required import Grant
from reconciler.spec import effective
from reconciler.spec.model import Mode, Spec
from reconciler.survey import Survey
from reconciler.survey.capabilities.answers import Capabilities
from reconciler.survey.capabilities.questions import INHERITANCE
from reconciler.tools.doctor import azure
from reconciler.tools.doctor.devops import OrganizationChecks


def known(specs: Sequence[Spec], capabilities: Capabilities, now: datetime, days: float) -> tuple[Check, ...]:
    """A check for each organization of the specs that was asked, and for each inheritance that cannot be seen."""
    wanted = sorted({one.name for spec in specs for one in spec.organizations} & capabilities.organizations.keys())
    fresh = [_fresh(name, capabilities.stale(now, days).get(name), days) for name in wanted]
    return (*fresh, *_blind(specs, capabilities))


def _fresh(name: str, age: int | None, days: float) -> Check:
    command = f"python -m reconciler probe {name}, and deploy the file"
    grant = Grant("new answers", name, "whoever deploys the operator", command)
    detail = "" if age is None else f"asked {age} days ago, and answers count for {days:g}; the careful way is taken"
    verdict = CheckResult.OK if age is None else CheckResult.MISSING
    return Check(name, "know what was found out by asking", Mode.REPORT, verdict, grant, detail, advice=True)


def _blind(specs: Sequence[Spec], capabilities: Capabilities) -> Iterator[Check]:
    for spec in specs:
        for name in sorted(one.name for one in spec.organizations):
            asked = capabilities.organizations.get(name)
            if asked and asked.word(INHERITANCE) == "apart" and effective.inheritance(spec, name) is not None:
                grant = Grant("inherit left out of the spec", spec.name, "whoever writes specs", "docs/capabilities.md")
                detail = "the access control list was seen not to show the switch, so what is wanted is never seen"
                what = f"see whether agent pool {spec.name} inherits roles"
                yield Check(name, what, Mode.REPORT, CheckResult.MISSING, grant, detail, advice=True)


def examined(
    specs: Sequence[Spec],
    readers: Readers,
    survey: Survey,
    inspectors: tuple[AzureResourcesReader, DevOpsReader],
    now: datetime,
) -> tuple[Check, ...]:
    """Every check that the specs give rise to, in their order; what several of them need is there once."""
    found: dict[tuple[str, str], Check] = {}
    for check in _all(specs, readers, survey, inspectors, now):
        found.setdefault((check.place.casefold(), check.what + check.detail), check)
    return tuple(found.values())


def _all(
    specs: Sequence[Spec],
    readers: Readers,
    survey: Survey,
    inspectors: tuple[AzureResourcesReader, DevOpsReader],
    now: datetime,
) -> Iterator[Check]:
    around, devops = inspectors
    for spec in specs:
        yield from azure.checks(spec, readers.arm, around)
        for organization in sorted(spec.organizations, key=lambda one: one.name):
            yield from OrganizationChecks(spec, organization, survey, devops, now).checks()
        yield from prerequisites.checks(spec, survey, around)
