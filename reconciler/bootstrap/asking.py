"""What the diagnostic commands need (`explain`, `probe` and others), and `onboard`, which may write on request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from reconciler.adapters.clock import SystemClock
from reconciler.bootstrap.connections import connect, credential_of, planner_of, policy, session_for
from reconciler.config.settings import Settings
from reconciler.engine import Planner
from reconciler.plan.policy import Policy
from reconciler.ports.azure_resources import AzureResourcesReader
from reconciler.ports.clock import Clock
from reconciler.ports.devops import DevOpsReader, DevOpsWriter
from reconciler.ports.diagnostics import ArmInspector, DevOpsInspector, ProbeReader
from reconciler.ports.memberships import MembershipReader, MembershipWriter
from reconciler.ports.readers_writers import Readers


@dataclass(frozen=True, slots=True)
class Tools:
    """What people's questions need: readers, and inspectors beside them. Holds nothing that could write."""

    planner: Planner
    clock: Clock
    arm: ArmInspector
    devops: DevOpsInspector
    around: AzureResourcesReader


@dataclass(frozen=True, slots=True)
class Questions:
    """What `probe` needs. Connections that send GET and nothing else; holds nothing that could write over them."""

    readers: Readers
    enquirer: ProbeReader
    clock: Clock
    close: Callable[[], None] = field(repr=False)
    """Let connections go."""


@dataclass(frozen=True, slots=True)
class Onboarding:
    """What `onboard` needs: it acts as the caller, and can write only on request."""

    devops: DevOpsReader
    members: MembershipReader
    inspector: DevOpsInspector
    writers: tuple[DevOpsWriter, MembershipWriter] | None
    """None: a dry run."""
    policy: Policy
    clock: Clock
    close: Callable[[], None] = field(repr=False)
    """Let connections go."""


def tools(settings: Settings) -> Tools:
    """What `explain`, `import` and `doctor` need; specs are not read."""
    from reconciler.adapters.arm.inspection import AzureResources  # noqa: PLC0415 - see the package's docstring
    from reconciler.adapters.devops.inspection import DevOpsInspection  # noqa: PLC0415

    clock = SystemClock()
    planes = connect(settings, clock)
    around = AzureResources(planes.arm, planes.devops)
    return Tools(planner_of(settings, planes, clock), clock, around, DevOpsInspection(planes.devops), around)


def questions(settings: Settings) -> Questions:
    """What `probe` needs; specs are not read."""
    from reconciler.adapters.devops.inspection import DevOpsProbeReader  # noqa: PLC0415
    from reconciler.adapters.devops.reads import DevOps  # noqa: PLC0415 - see the package's docstring

    clock = SystemClock()
    planes = connect(settings, clock, gets_alone=True)
    readers = Readers(arm=planes.arm, devops=DevOps(planes.devops))
    return Questions(readers, DevOpsProbeReader(planes.devops), clock, planes.close)


def onboarding(settings: Settings, *, write: bool) -> Onboarding:
    """What `onboard` needs; without `write` there is nothing that could."""
    from reconciler.adapters.devops.inspection import DevOpsInspection  # noqa: PLC0415
    from reconciler.adapters.devops.memberships import Memberships, MembershipWrites  # noqa: PLC0415
    from reconciler.adapters.devops.reads import DevOps, DevOpsWrites  # noqa: PLC0415 - see the package's docstring
    from reconciler.adapters.devops.throttling import ThrottlingGates  # noqa: PLC0415

    clock = SystemClock()
    credential, gates, place = credential_of(settings), ThrottlingGates(clock.monotonic), settings.members_endpoint
    devops = session_for(settings, credential, (settings.devops_endpoint, settings.identity_endpoint), gates)
    members = session_for(settings, credential, (place, place), gates)
    writers = (DevOpsWrites(devops), MembershipWrites(devops, members)) if write else None

    def close() -> None:
        devops.close()
        members.close()

    return Onboarding(
        DevOps(devops), Memberships(devops, members), DevOpsInspection(devops), writers, policy(settings), clock, close
    )
