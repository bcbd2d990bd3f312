"""What commands for people need: `explain`, `import`, `doctor`, `probe`, and `onboard`, which writes with `--apply`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from reconciler.adapters.clock import SystemClock
from reconciler.bootstrap.connections import connect, credential_of, planner_of, policy, session_for
from reconciler.config.settings import Settings
from reconciler.engine import Planner
from reconciler.plan.policy import Policy
from reconciler.ports.azure import SubscriptionReader
from reconciler.ports.azure_resources import AzureResourcesReader
from reconciler.ports.clock import Clock
from reconciler.ports.devops import DevOpsReader, DevOpsWriter, MembershipReader, MembershipWriter, RawDevOpsReader
from reconciler.ports.readers_writers import Readers


@dataclass(frozen=True, slots=True)
class Tools:
    """What `explain`, `import` and `doctor` need. Holds nothing that could write."""

    planner: Planner
    clock: Clock
    subscriptions: SubscriptionReader
    around: AzureResourcesReader


@dataclass(frozen=True, slots=True)
class Questions:
    """What `probe` needs: connections that send GET requests only."""

    readers: Readers
    raw: RawDevOpsReader
    clock: Clock
    close: Callable[[], None] = field(repr=False)
    """Close the connections."""


@dataclass(frozen=True, slots=True)
class Onboarding:
    """What `onboard` needs: it acts as its caller, and can write only with `--apply`."""

    devops: DevOpsReader
    members: MembershipReader
    writers: tuple[DevOpsWriter, MembershipWriter] | None
    """None: a dry run."""
    policy: Policy
    clock: Clock
    close: Callable[[], None] = field(repr=False)
    """Close the connections."""


def tools(settings: Settings) -> Tools:
    """What `explain`, `import` and `doctor` need; it needs no specs."""
    from reconciler.adapters.arm.inspection import AzureResources  # noqa: PLC0415 - see the package's docstring

    clock = SystemClock()
    planes = connect(settings, clock)
    around = AzureResources(planes.arm, planes.devops)
    return Tools(planner_of(settings, planes, clock), clock, around, around)


def questions(settings: Settings) -> Questions:
    """What `probe` needs; it needs no specs."""
    from reconciler.adapters.devops.reads import DevOps, RawDevOps  # noqa: PLC0415 - see the package's docstring

    clock = SystemClock()
    planes = connect(settings, clock, gets_alone=True)
    readers = Readers(arm=planes.arm, devops=DevOps(planes.devops))
    return Questions(readers, RawDevOps(planes.devops), clock, planes.close)


def onboarding(settings: Settings, *, write: bool) -> Onboarding:
    """What `onboard` needs; without `write` there is nothing that could."""
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

    return Onboarding(DevOps(devops), Memberships(devops, members), writers, policy(settings), clock, close)
