"""What the commands that read need (`explain`, `doctor`, `probe` and the like), and `onboard`, which may write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from reconciler.adapters.clock import SystemClock
from reconciler.adapters.owned.store import Family
from reconciler.bootstrap.connections import Planes, connect, credential_of, planner_of, policy, session_for
from reconciler.bootstrap.operators import operator_names_of_plan
from reconciler.bootstrap.stores import record_file, with_state
from reconciler.bootstrap.stores import store as stored
from reconciler.config.settings import Settings
from reconciler.engine import Planner
from reconciler.plan.policy import Policy
from reconciler.ports.azure import SubscriptionReader
from reconciler.ports.azure_resources import AzureResourcesReader
from reconciler.ports.clock import Clock
from reconciler.ports.devops import MembershipReader, MembershipWriter, RawDevOpsReader
from reconciler.ports.readers_writers import Readers, Writers
from reconciler.ports.write_log import WriteLog
from reconciler.safety import Safety

if TYPE_CHECKING:
    from reconciler.adapters.devops.session import Session
    from reconciler.adapters.devops.throttling import ThrottlingGates


@dataclass(frozen=True, slots=True)
class Tools:
    """What `explain`, `import` and `doctor` need. Holds nothing that could write."""

    planner: Planner
    clock: Clock
    subscriptions: SubscriptionReader
    around: AzureResourcesReader
    members: MembershipReader
    sign_in: Callable[[], None] = field(repr=False)
    """Wait for the token that every run needs: a missing sign-in is one error, raised here."""


@dataclass(frozen=True, slots=True)
class Questions:
    """What `probe` needs: connections that send GET requests only."""

    readers: Readers
    raw: RawDevOpsReader
    clock: Clock
    sign_in: Callable[[], None] = field(repr=False)
    """Wait for the token that every run needs: a missing sign-in is one error, raised here."""
    close: Callable[[], None] = field(repr=False)
    """Close connections."""


@dataclass(frozen=True, slots=True)
class OnboardingWriters:
    """What granting writes with, and where its one run is kept."""

    writers: Writers
    members: MembershipWriter
    store: Family
    """For this call alone: onboarding leaves no state of pools behind."""
    record: WriteLog
    """The deployment's record of writes, where the settings or the policy name its state; else that of a file."""
    record_file: Path | None
    """That file; None where it is the deployment's record."""
    held: Callable[[Sequence[str]], list[str]]
    """The modes that let nothing be written in any of these organizations now, for people."""


@dataclass(frozen=True, slots=True)
class OnboardingAccess:
    """What `onboard` needs. It acts as the caller, and can write only where `writers` is given."""

    readers: Readers
    members: MembershipReader
    writers: OnboardingWriters | None
    """None: a dry run."""
    policy: Policy
    clock: Clock
    sign_in: Callable[[], None] = field(repr=False)
    """Wait for the token that every run needs: a missing sign-in is one error, raised here."""
    close: Callable[[], None] = field(repr=False)
    """Close connections and files."""


def tools(settings: Settings) -> Tools:
    """What `explain`, `import` and `doctor` need; specs are not read."""
    from reconciler.adapters.arm.inspection import AzureResources  # noqa: PLC0415 - see the package's docstring
    from reconciler.adapters.devops.memberships import Memberships  # noqa: PLC0415

    clock = SystemClock()
    planes = connect(settings, clock)
    around = AzureResources(planes.arm, planes.devops)
    members = Memberships(planes.devops, _members_session(settings, None))
    planner = planner_of(settings, planes, clock)
    planner.operators = operator_names_of_plan(settings, planner.policy)
    return Tools(planner, clock, around, around, members, planes.credential.sign_in)


def questions(settings: Settings) -> Questions:
    """What `probe` needs; specs are not read."""
    from reconciler.adapters.devops.reads import DevOps, RawDevOps  # noqa: PLC0415 - see the package's docstring

    clock = SystemClock()
    planes = connect(settings, clock, gets_alone=True)
    readers = Readers(arm=planes.arm, devops=DevOps(planes.devops))
    return Questions(readers, RawDevOps(planes.devops), clock, planes.credential.sign_in, planes.close)


def onboarding(settings: Settings, *, write: bool, record: Path) -> OnboardingAccess:
    """What `onboard` needs; without `write` there is nothing that could write.

    `record`: the file for the record of writes, where neither settings nor policy name the deployment's state.
    """
    from reconciler.adapters.devops.memberships import Memberships  # noqa: PLC0415
    from reconciler.adapters.devops.reads import DevOps  # noqa: PLC0415 - see the package's docstring
    from reconciler.adapters.devops.throttling import ThrottlingGates  # noqa: PLC0415

    clock = SystemClock()
    gates = ThrottlingGates(clock.monotonic)
    planes, members = connect(settings, clock, gates), _members_session(settings, gates)
    with ExitStack() as stack:
        stack.callback(planes.close)
        stack.callback(members.close)
        writers = _onboarding_writers(settings, planes, members, clock, stack, record) if write else None
        close = stack.pop_all().close
    readers, memberships = Readers(planes.arm, DevOps(planes.devops)), Memberships(planes.devops, members)
    allowed, sign_in = policy(settings).anywhere, partial(planes.credential.sign_in, devops=True)
    return OnboardingAccess(readers, memberships, writers, allowed, clock, sign_in, close)


def _onboarding_writers(  # noqa: PLR0917 - the parts of `onboarding`
    settings: Settings, planes: Planes, members: Session, clock: Clock, stack: ExitStack, path: Path
) -> OnboardingWriters:
    from reconciler.adapters.arm.pools import ArmWrites  # noqa: PLC0415 - see the package's docstring
    from reconciler.adapters.devops.memberships import MembershipWrites  # noqa: PLC0415
    from reconciler.adapters.devops.writes import DevOpsWrites  # noqa: PLC0415
    from reconciler.adapters.sqlite.store import Local  # noqa: PLC0415

    store = Local(Path(stack.enter_context(TemporaryDirectory(prefix="onboard-"))) / "state.db", clock)
    stack.callback(store.close)
    settings = with_state(settings)
    if settings.state_named:
        kept = stored(settings, clock)
        stack.callback(kept.close)
        safety, record, apart = Safety(kept.safety, clock, settings.mode), kept.record, None
    else:
        own = record_file(path)
        stack.callback(own.close)
        safety, record, apart = Safety(store.safety, clock, settings.mode), own.record, path

    def held(names: Sequence[str]) -> list[str]:
        modes = safety.read("", names, planning=True).modes
        found = [modes.for_organizations([name]) for name in names]
        return list(dict.fromkeys(str(one) for one in found if not one.mode.writes))

    writers = Writers(arm=ArmWrites(planes.arm), devops=DevOpsWrites(planes.devops))
    return OnboardingWriters(writers, MembershipWrites(planes.devops, members), store, record, apart, held)


def _members_session(settings: Settings, gates: ThrottlingGates | None) -> Session:
    """Access levels are on a host of their own, hence a session with an allow-list of its own."""
    place = settings.members_endpoint
    return session_for(settings, credential_of(settings), (place, place), gates)
