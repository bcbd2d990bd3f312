"""All questions for some specs, each asked once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from reconciler import prerequisites
from reconciler.checks import Check
from reconciler.doctor import azure
from reconciler.doctor.devops import Ward
from reconciler.inspection import DevOpsInspector
from reconciler.ports import Readers
from reconciler.spec.model import Spec
from reconciler.surroundings import Surroundings
from reconciler.survey import Survey


def examined(
    specs: Sequence[Spec],
    readers: Readers,
    survey: Survey,
    inspectors: tuple[Surroundings, DevOpsInspector],
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
    inspectors: tuple[Surroundings, DevOpsInspector],
    now: datetime,
) -> Iterator[Check]:
    around, devops = inspectors
    for spec in specs:
        yield from azure.checks(spec, readers.arm, around)
        for organization in sorted(spec.organizations, key=lambda one: one.name):
            yield from Ward(spec, organization, survey, devops, now).checks()
        yield from prerequisites.checks(spec, survey, around)
