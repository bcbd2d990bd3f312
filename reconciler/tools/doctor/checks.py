"""All checks of some specs, each once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.engine.planner import of_this_run
from reconciler.facets.support import prerequisites
from reconciler.plan.rights.checks import Check
from reconciler.ports.azure import ArmReader
from reconciler.spec.model import Spec
from reconciler.tools.doctor import azure
from reconciler.tools.doctor.devops import DoctorReaders, OrganizationChecks


def all_checks(specs: Sequence[Spec], arm: ArmReader, readers: DoctorReaders) -> tuple[Check, ...]:
    """Every check of the specs, in their order; a check that several specs need is there once."""
    found: dict[tuple[str, str], Check] = {}
    for check in _checks(specs, arm, readers):
        found.setdefault((check.place.casefold(), check.what + check.detail), check)
    return tuple(found.values())


def _checks(specs: Sequence[Spec], arm: ArmReader, readers: DoctorReaders) -> Iterator[Check]:
    for written in specs:
        spec = of_this_run(written, readers.survey).spec
        yield from azure.checks(spec, arm, readers.around)
        for organization in sorted(spec.organizations, key=lambda one: one.name):
            yield from OrganizationChecks(spec, organization, readers).checks()
        yield from prerequisites.checks(spec, readers.survey, readers.around)
