"""A scripted organization on loopback, and a session that may call it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from reconciler.adapters import credentials
from reconciler.adapters.devops.endpoints import Endpoints
from reconciler.adapters.devops.exchange import CallLimits
from reconciler.adapters.devops.reads import DevOps, DevOpsWrites
from reconciler.adapters.devops.session import Session
from reconciler.adapters.devops.throttling import ThrottlingGates, Timing
from reconciler.telemetry import NO_TELEMETRY, Calls, Telemetry
from tests.adapters.devops.scripted import FakeTime, Scripted

CANARY = "canary-devops-token"
Open = Callable[..., Session]


@pytest.fixture
def service() -> Iterator[Scripted]:
    """The organization's service."""
    scripted = Scripted()
    yield scripted
    scripted.close()


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def opened(service: Scripted, time: FakeTime) -> Iterator[Open]:
    """Opens sessions on the service and closes them afterwards."""
    sessions: list[Session] = []

    def open_session(
        *,
        limits: CallLimits | None = None,
        telemetry: Telemetry = NO_TELEMETRY,
        url: str = "",
        gates: ThrottlingGates | None = None,
    ) -> Session:
        base = url or service.url
        session = Session(
            credentials.static("canary-arm-token", CANARY, [base]),
            Endpoints(base, base, allow_loopback=True),
            gates=gates,
            timing=Timing(time.sleep, time.clock, time.clock, lambda: 0.5),
            limits=limits or CallLimits(connect=2, read=2, answer=5),
            calls=Calls("devops", telemetry),
        )
        sessions.append(session)
        return session

    yield open_session
    for session in sessions:
        session.close()


@pytest.fixture
def session(opened: Open) -> Session:
    return opened()


@pytest.fixture
def reads(session: Session) -> DevOps:
    return DevOps(session)


@pytest.fixture
def writes(session: Session) -> DevOpsWrites:
    return DevOpsWrites(session)
