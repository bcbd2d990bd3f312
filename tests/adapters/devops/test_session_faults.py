"""Whatever shape a failure has, it becomes one of our errors, names the call, and is tried again only where safe."""

from __future__ import annotations

import socket

import pytest

from reconciler.adapters.devops.exchange import CallLimits, OutgoingRequest
from reconciler.adapters.devops.reads import DevOps
from reconciler.adapters.devops.session import Session
from reconciler.errors import Forbidden, NotFound, ReconcilerError, Rejected, Throttled, Unavailable
from reconciler.telemetry import MemoryTelemetry, NoTelemetry
from tests.adapters.devops.conftest import CANARY, Open
from tests.adapters.devops.scripted import FakeTime, Reply, Scripted, failure, wrapped

POOLS = "/prime/_apis/distributedtask/pools"
SIGN_IN = b"<html><body>Sign in to your account</body></html>"
HTML = {"Content-Type": "text/html; charset=utf-8"}


def call(session: Session, method: str = "GET", path: str = "_apis/thing") -> OutgoingRequest:
    return OutgoingRequest("prime", method, session.endpoints.url("prime", path), "thing", "thing")


@pytest.mark.parametrize(
    ("reply", "kind", "text"),
    [
        (Reply(SIGN_IN, 203, HTML), Forbidden, "203: a sign-in page in place of an answer"),
        (Reply(SIGN_IN, 200, HTML), Forbidden, "200: a sign-in page in place of an answer"),
        (Reply(wrapped(), 203), Forbidden, "203: a sign-in page in place of an answer"),
        (Reply(status=302, headers={"Location": "/_signin"}), Forbidden, "302: a redirect, as to a sign-in page"),
        (Reply(status=401, headers={"WWW-Authenticate": "Basic realm=x"}), Forbidden, "401: the token was refused; "),
        (
            Reply(failure("UnauthorizedRequestException", "TF400813: not authorized"), 401),
            Forbidden,
            "401 UnauthorizedRequestException: TF400813: not authorized",
        ),
        (Reply(failure("AccessDeniedException", "no"), 403), Forbidden, "403 AccessDeniedException: no"),
        (Reply(failure("TaskAgentPoolNotEnoughPermissionsException", "no"), 400), Forbidden, "400 TaskAgentPool"),
        (
            Reply(failure("ProjectDoesNotExistException", "VS800075: no such"), 400),
            NotFound,
            "400 ProjectDoesNotExistException: VS800075: no such",
        ),
        (Reply(failure("ProjectDoesNotExistWithNameException", "no"), 404), NotFound, "404 ProjectDoesNotExistWith"),
        (Reply(failure("TaskAgentQueueNotFoundException", "no"), 500), NotFound, "500 TaskAgentQueueNotFound"),
        (Reply(SIGN_IN, 404, HTML), NotFound, "404"),
        (Reply(failure("TaskAgentPoolExistsException", "taken"), 409), Rejected, "409 TaskAgentPoolExistsException"),
        (
            Reply(failure("VssInvalidPreviewVersionException", "-preview"), 400),
            Rejected,
            "400 VssInvalidPreviewVersionException: -preview",
        ),
        (Reply({"value": {"Message": "no HTTP resource"}}, 400), Rejected, "400: no HTTP resource"),
        (Reply(b"plain", 422, {"Content-Type": "text/plain"}), Rejected, "422"),
        (Reply(status=429, headers={"Retry-After": "60"}), Throttled, "429"),
        (Reply(failure("X", "TF400733: The request has been canceled"), 503), Throttled, "503 X: TF400733: "),
        (Reply(SIGN_IN, 500, HTML), Unavailable, "500"),
        (Reply(status=503), Unavailable, "503"),
        (Reply(b'{"count": 1, "va', 200), Unavailable, "200: the answer is no JSON"),
        (Reply(b"\xff\xfe", 200), Unavailable, "200: the answer is no JSON"),
        (Reply(b"[" * 100_000, 200), Unavailable, "200: the answer is no JSON"),
        (Reply({"count": 3, "value": []}), Unavailable, "200: the list says 3 entries and holds 0"),
        (Reply(wrapped(), fault="cut"), Unavailable, "the connection broke off"),
        (Reply(fault="reset"), Unavailable, "the connection broke off"),
    ],
)
def test_each_shape_of_failure_becomes_one_of_our_errors(
    session: Session, service: Scripted, reply: Reply, kind: type[ReconcilerError], text: str
) -> None:
    service.reply("GET", "/prime/_apis/thing", reply)

    with pytest.raises(ReconcilerError) as caught:
        session.send(call(session))
    assert type(caught.value) is kind
    assert str(caught.value).startswith(f"organization prime: GET thing: {text}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "reply", [Reply(status=302, headers={"Location": "/x"}), Reply(SIGN_IN, 203, HTML), Reply(b"{", 200)]
)
def test_the_package_meets_the_same_errors(reads: DevOps, service: Scripted, reply: Reply) -> None:
    """Left to itself it would follow the redirect, and fail over the page without its status."""
    service.reply("GET", POOLS, reply)

    with pytest.raises((Forbidden, Unavailable), match=r"GET agent pools: [23]"):
        reads.agent_pools("prime")


@pytest.mark.parametrize("reply", [Reply(status=s) for s in (408, 500, 502, 503, 504)] + [Reply(fault="reset")])
def test_a_read_survives_two_short_faults(session: Session, service: Scripted, time: FakeTime, reply: Reply) -> None:
    service.reply("GET", "/prime/_apis/thing", reply, reply, wrapped())

    assert session.send(call(session)).document == wrapped()
    assert time.slept == [0.4, 0.8]  # half of the 0.8 and 1.6 s that full jitter may take


def test_a_read_is_tried_three_times_and_no_more(session: Session, service: Scripted, time: FakeTime) -> None:
    service.reply("GET", "/prime/_apis/thing", Reply(status=500))

    with pytest.raises(Unavailable):
        session.send(call(session))
    assert len(service.seen) == 3
    assert sum(time.slept) <= 5


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409])
def test_what_time_does_not_heal_is_not_tried_again(session: Session, service: Scripted, status: int) -> None:
    service.reply("GET", "/prime/_apis/thing", Reply(status=status))

    with pytest.raises(ReconcilerError):
        session.send(call(session))
    assert len(service.seen) == 1


@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_a_refused_connection_is_tried_again_even_for_a_write(opened: Open, time: FakeTime, method: str) -> None:
    """Nothing can have arrived."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        session = opened(url=url)

        with pytest.raises(Unavailable, match=f"organization prime: {method} thing: no connection to 127.0.0.1$"):
            session.send(call(session, method))
    assert time.slept == [0.4, 0.8]


def test_silence_ends_in_time(opened: Open, service: Scripted) -> None:
    session = opened(limits=CallLimits(connect=1, read=0.05, tries=1))
    service.reply("GET", "/prime/_apis/thing", Reply(fault="silent"))

    with pytest.raises(Unavailable, match="GET thing: no response in time"):
        session.send(call(session))


class _Slow(NoTelemetry):
    """Lets every request take 31 seconds."""

    def __init__(self, time: FakeTime) -> None:
        self._time = time

    def count(self, name: str, value: float = 1.0, **labels: str) -> None:  # noqa: ARG002 - the port's signature
        self._time.sleep(31)


def test_a_slow_call_is_not_tried_again(opened: Open, service: Scripted, time: FakeTime) -> None:
    """Three long time-outs would eat the budget of a whole run."""
    session = opened(limits=CallLimits(patience=30), telemetry=_Slow(time))
    service.reply("GET", "/prime/_apis/thing", Reply(status=504))

    with pytest.raises(Unavailable):
        session.send(call(session))
    assert len(service.seen) == 1


def test_an_answer_larger_than_allowed_is_given_up(opened: Open, service: Scripted) -> None:
    session = opened(limits=CallLimits(body=1000))
    service.reply("GET", "/prime/_apis/thing", Reply(b'"' + b"x" * 100_000 + b'"'))

    with pytest.raises(Unavailable, match="GET thing: the response is larger than 1000 bytes"):
        session.send(call(session))
    assert len(service.seen) == 1


def test_an_answer_that_trickles_is_given_up(opened: Open, service: Scripted) -> None:
    session = opened(limits=CallLimits(answer=-1.0))
    service.reply("GET", "/prime/_apis/thing", wrapped())

    with pytest.raises(Unavailable, match="GET thing: the response did not end within -1 s"):
        session.send(call(session))


def test_a_deaf_organization_is_left_alone_for_a_while(session: Session, service: Scripted, time: FakeTime) -> None:
    """A thousand calls that each wait for their time-outs achieve nothing; the other organizations are not slowed."""
    service.reply("GET", "/prime/_apis/thing", Reply(fault="reset"))
    service.reply("GET", "/calm/_apis/thing", wrapped())
    for _ in range(3):
        with pytest.raises(Unavailable, match="the connection broke off"):
            session.send(call(session))
    asked = len(service.seen)

    with pytest.raises(
        Unavailable, match=r"^organization prime: not called, the last 3 calls got no response$"
    ) as caught:
        session.send(call(session))
    assert caught.value.retry_after == pytest.approx(10)
    assert len(service.seen) == asked
    other = OutgoingRequest("calm", "GET", session.endpoints.url("calm", "_apis/thing"), "thing", "thing")
    assert session.send(other).status == 200

    time.sleep(10)
    service.reply("GET", "/prime/_apis/thing", wrapped())
    assert session.send(call(session)).status == 200


def test_a_call_is_one_span_and_each_request_is_counted(opened: Open, service: Scripted) -> None:
    told = MemoryTelemetry()
    service.reply("GET", POOLS, Reply(fault="reset"), Reply(status=500), wrapped())
    DevOps(opened(telemetry=told)).agent_pools("prime")

    (span,) = told.named("GET pools")
    assert span.attributes == {
        "peer.service": "devops",
        "reconciler.route": "pools",
        "reconciler.organization": "prime",
        "http.request.method": "GET",
        "reconciler.attempts": 3,
        "http.response.status_code": 200,
    }
    outcomes = {
        outcome: told.total("reconciler.calls", method="GET", outcome=outcome) for outcome in ("silent", "failed")
    }
    assert outcomes == {"silent": 1, "failed": 1}


def test_a_call_that_fails_is_a_failed_span_with_our_own_words(opened: Open, service: Scripted) -> None:
    told = MemoryTelemetry()
    service.reply("GET", "/prime/_apis/thing", Reply(status=403))
    session = opened(telemetry=told)
    with pytest.raises(Forbidden) as caught:
        session.send(call(session))

    (span,) = told.named("GET thing")
    assert span.error == ("Forbidden", str(caught.value))


def test_what_the_service_says_is_one_short_line_without_secrets(session: Session, service: Scripted) -> None:
    """An error body may echo the request; it goes into conditions and logs."""
    jwt = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJ4In0.c2lnbmF0dXJl"
    key = "k3y" * 20
    message = f"bad\r\n\ttoken {CANARY}, Bearer abc.def, {jwt}, sig=s3cr3t%2B&x=1, key {key}\x1b[31m " + "long " * 200
    service.reply("GET", "/prime/_apis/thing", Reply(failure("XException", message), status=400))

    with pytest.raises(Rejected) as caught:
        session.send(call(session))
    text = str(caught.value)
    for secret in (CANARY, "abc.def", jwt, "s3cr3t", key):
        assert secret not in text
    assert text.isprintable()
    assert len(text) < 400
    assert text.startswith(
        "organization prime: GET thing: 400 XException: bad token ***, Bearer ***, ***, sig=***&x=1, key *** [31m"
    )
