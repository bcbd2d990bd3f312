"""Which rights are missing in every organization, project and resource group that the specs touch. Reads only.

::

    azure         resource groups, subnets and identities, by the caller's own permissions
    devops        organizations, agent pools and projects: the list of requirements, evaluated as the caller
    capabilities  whether the answers of `probe` are fresh enough to count (`capability_checks`)
    checks        all checks of some specs (`all_checks`)

What has to hold around a pool is checked by `reconciler.facets.support.prerequisites`, as the facet of that name checks
it. Mode report is checked for every spec, mode enforce only where a spec is enforced. Whether something may be written
is found out by reading the caller's rights, never by writing.
"""

from __future__ import annotations

from reconciler.tools.doctor.capabilities import capability_checks
from reconciler.tools.doctor.checks import all_checks
from reconciler.tools.doctor.devops import DoctorReaders

__all__ = ["DoctorReaders", "all_checks", "capability_checks"]
