"""What people's questions need (`explain`, `probe` and the like), and `onboard`, which may write if asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.adapters.clock import SystemClock
from reconciler.bootstrap.connections import connect, credential_of, planner_of, policy, session_for
from reconciler.engine import Planner
from reconciler.inspection import ArmInspector, DevOpsInspector, Enquirer
from reconciler.policy import Policy
from reconciler.ports import Clock, Readers
from reconciler.settings import Settings
from reconciler.surroundings import Surroundings

if TYPE_CHECKING:
    from reconciler.onboarding import Hand, Sources


@dataclass(frozen=True, slots=True)
class Tools:
    """What people's questions need: readers, and inspectors beside them. Holds nothing that could write."""

    planner: Planner
    clock: Clock
    arm: ArmInspector
    devops: DevOpsInspector
    around: Surroundings


@dataclass(frozen=True, slots=True)
class Questions:
    """What `probe` needs. Connections that send GET and nothing else; holds nothing that could write over them."""

    readers: Readers
    enquirer: Enquirer
    clock: Clock
    close: Callable[[], None] = field(repr=False)
    """Let connections go."""


@dataclass(frozen=True, slots=True)
class Onboarding:
    """What `onboard` needs: it acts as whoever calls, and can write only where that was asked for."""

    sources: Sources
    hand: Hand | None
    """None: a dry run."""
    policy: Policy
    clock: Clock
    close: Callable[[], None] = field(repr=False)
    """Let connections go."""


def tools(settings: Settings) -> Tools:
    """What `explain`, `import` and `doctor` need; specs are not asked for."""
    from reconciler.adapters.around import Around  # noqa: PLC0415 - see the package's docstring
    from reconciler.adapters.devops_inspection import DevOpsInspection  # noqa: PLC0415

    clock = SystemClock()
    planes = connect(settings, clock)
    around = Around(planes.arm, planes.devops)
    return Tools(planner_of(settings, planes, clock), clock, around, DevOpsInspection(planes.devops), around)


def questions(settings: Settings) -> Questions:
    """What `probe` needs; specs are not asked for."""
    from reconciler.adapters.devops import DevOps  # noqa: PLC0415 - see the package's docstring
    from reconciler.adapters.devops_enquiry import DevOpsEnquiry  # noqa: PLC0415

    clock = SystemClock()
    planes = connect(settings, clock, gets_alone=True)
    readers = Readers(arm=planes.arm, devops=DevOps(planes.devops))
    return Questions(readers, DevOpsEnquiry(planes.devops), clock, planes.close)


def onboarding(settings: Settings, *, write: bool) -> Onboarding:
    """What `onboard` needs; without `write` there is nothing that could."""
    from reconciler.adapters.devops import DevOps, DevOpsWrites  # noqa: PLC0415 - see the package's docstring
    from reconciler.adapters.devops_inspection import DevOpsInspection  # noqa: PLC0415
    from reconciler.adapters.gate import Gates  # noqa: PLC0415
    from reconciler.adapters.memberships import Memberships, MembershipWrites  # noqa: PLC0415
    from reconciler.onboarding import Hand, Sources  # noqa: PLC0415

    clock = SystemClock()
    credential, gates, place = credential_of(settings), Gates(clock.monotonic), settings.members_endpoint
    devops = session_for(settings, credential, (settings.devops_endpoint, settings.identity_endpoint), gates)
    members = session_for(settings, credential, (place, place), gates)
    sources = Sources(DevOps(devops), Memberships(devops, members), DevOpsInspection(devops))
    hand = Hand(DevOpsWrites(devops), MembershipWrites(devops, members)) if write else None

    def close() -> None:
        devops.close()
        members.close()

    return Onboarding(sources, hand, policy(settings), clock, close)
