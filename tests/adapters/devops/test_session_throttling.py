"""The service may ask for fewer calls on any answer; the caller then stays away, and no thread sleeps for long."""

from __future__ import annotations

import threading
from email.utils import formatdate

import pytest

from reconciler.adapters.devops.exchange import OutgoingRequest
from reconciler.adapters.devops.session import Session
from reconciler.adapters.devops.throttling import LONGEST, ThrottlingGates
from reconciler.errors import Throttled, Unavailable
from tests.adapters.devops.scripted import FakeTime, Reply, Scripted, failure, wrapped

DATE = 1_700_000_000.0


def call(session: Session, organization: str = "prime", method: str = "GET") -> OutgoingRequest:
    return OutgoingRequest(organization, method, session.endpoints.url(organization, "_apis/thing"), "thing", "thing")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "60"}, 60.0),
        ({"Retry-After": "60.5"}, 60.5),
        ({"Retry-After": formatdate(DATE + 90, usegmt=True), "Date": formatdate(DATE, usegmt=True)}, 90.0),
        ({"Retry-After": formatdate(1_000_000 + 40, usegmt=True), "Date": "nonsense"}, 40.0),
        ({"Retry-After": "soon"}, 30.0),
        ({"Retry-After": "999999999"}, LONGEST),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(1_000_000 + 120)}, 30.0),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(1_000_000 + 12)}, 12.0),
    ],
)
def test_a_200_that_asks_for_fewer_calls_closes_the_gate(
    session: Session, service: Scripted, time: FakeTime, headers: dict[str, str], seconds: float
) -> None:
    service.reply("GET", "/prime/_apis/thing", Reply(wrapped(), headers=headers))
    assert session.send(call(session)).status == 200

    with pytest.raises(Throttled, match=r"^organization prime: the service requests fewer calls$") as caught:
        session.send(call(session))
    assert caught.value.retry_after == pytest.approx(seconds)
    assert len(service.seen) == 1
    assert time.slept == []

    time.sleep(seconds)
    assert session.send(call(session)).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "0"},
        {"Retry-After": "-5"},
        {"X-RateLimit-Remaining": "7", "X-RateLimit-Reset": "1000120"},
        {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "999999"},
        {"X-RateLimit-Delay": "0.5"},
    ],
)
def test_a_header_that_asks_for_nothing_closes_no_gate(
    session: Session, service: Scripted, headers: dict[str, str]
) -> None:
    service.reply("GET", "/prime/_apis/thing", Reply(wrapped(), headers=headers))

    for _ in range(2):
        assert session.send(call(session)).status == 200


def test_a_gate_that_opens_within_five_seconds_is_waited_for(
    session: Session, service: Scripted, time: FakeTime
) -> None:
    service.reply("GET", "/prime/_apis/thing", Reply(wrapped(), headers={"Retry-After": "4"}), wrapped())
    session.send(call(session))

    assert session.send(call(session)).status == 200
    assert time.slept == [pytest.approx(4)]


def test_a_429_with_a_short_wait_is_tried_again_after_it(session: Session, service: Scripted, time: FakeTime) -> None:
    service.reply("GET", "/prime/_apis/thing", Reply(status=429, headers={"Retry-After": "3"}), wrapped())

    assert session.send(call(session)).status == 200
    assert time.slept == [pytest.approx(3)]


def test_all_sleeping_of_a_call_together_stays_within_five_seconds(
    session: Session, service: Scripted, time: FakeTime
) -> None:
    service.reply("GET", "/prime/_apis/thing", Reply(status=429, headers={"Retry-After": "3"}))

    with pytest.raises(Throttled) as caught:
        session.send(call(session))
    assert caught.value.retry_after == pytest.approx(3)
    assert time.slept == [pytest.approx(3)]
    assert len(service.seen) == 2


def test_too_many_without_a_time_means_half_a_minute(session: Session, service: Scripted) -> None:
    body = failure("X", "TF400733: The request has been canceled: exceeding usage of resource 'Concurrency'")
    service.reply("GET", "/prime/_apis/thing", Reply(body, status=429))

    with pytest.raises(Throttled, match="429 X: TF400733") as caught:
        session.send(call(session))
    assert caught.value.retry_after == pytest.approx(30)


def test_a_503_that_says_when_closes_the_gate_too(session: Session, service: Scripted) -> None:
    service.reply("GET", "/prime/_apis/thing", Reply(status=503, headers={"Retry-After": "20"}))

    with pytest.raises(Unavailable) as caught:
        session.send(call(session))
    assert caught.value.retry_after == pytest.approx(20)
    with pytest.raises(Throttled):
        session.send(call(session))


def test_one_throttled_organization_does_not_stop_the_next(session: Session, service: Scripted) -> None:
    service.reply("GET", "/prime/_apis/thing", Reply(wrapped(), headers={"Retry-After": "60"}))
    service.reply("GET", "/calm/_apis/thing", wrapped())
    session.send(call(session))

    assert session.send(call(session, "calm")).status == 200


def test_a_gate_never_opens_earlier_than_was_asked_before() -> None:
    time = FakeTime()
    gates = ThrottlingGates(time.clock)
    gates.close("prime", "me", 60)
    gates.close("Prime", "me", 5)

    assert gates.remaining("PRIME", "me") == pytest.approx(60)
    assert gates.remaining("prime", "another identity") == 0
    with pytest.raises(Throttled):
        gates.check("prime", "me")


def test_at_most_four_calls_are_in_flight_for_an_organization(session: Session, service: Scripted) -> None:
    """Eight threads ask; four arrive and hang; another organization is answered meanwhile; then all are done."""
    service.reply("GET", "/prime/_apis/thing", Reply(fault="hold"))
    service.reply("GET", "/calm/_apis/thing", wrapped())
    arrived = service.arrived
    threads = [threading.Thread(target=session.send, args=(call(session),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for _ in range(4):
        assert arrived.acquire(timeout=10)

    assert session.send(call(session, "calm")).status == 200
    assert service.holding == 4
    service.release.set()
    for thread in threads:
        thread.join(10)
    assert len(service.seen) == 9
    assert service.most_held == 4
