"""`reconciler.surroundings.Surroundings`: the reads of ARM beside the pools, and one of Azure DevOps."""

from __future__ import annotations

from reconciler.adapters.arm import Arm
from reconciler.adapters.arm_inspection import ArmInspection
from reconciler.adapters.devops_inspection import DevOpsInspection
from reconciler.adapters.session import Session


class Around(ArmInspection):
    """Both planes, read only."""

    def __init__(self, arm: Arm, session: Session) -> None:
        super().__init__(arm)
        self._devops = DevOpsInspection(session)

    def tenant(self, organization: str, identity_id: str) -> str:
        """GET identities by id."""
        return self._devops.tenant(organization, identity_id)
