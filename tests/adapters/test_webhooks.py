"""One message to one receiver: within its time, without redirects, and without a word about the address."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from reconciler.adapters.webhooks import WebhookSender
from reconciler.ports.notices import Delivery, OutgoingMessage

CANARY = "canary-path-91ab"
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


@contextmanager
def answering(*pieces: bytes, pause: float = 0.0) -> Iterator[tuple[str, list[bytes]]]:
    """A server that reads one request for each connection and answers in pieces."""
    listening, received, ended = socket.create_server(("127.0.0.1", 0)), list[bytes](), threading.Event()

    def serve() -> None:
        while True:
            try:
                taken, _ = listening.accept()
            except OSError:
                return
            with taken:
                received.append(taken.recv(65536))
                try:
                    for piece in pieces:
                        taken.sendall(piece)
                        if pause and ended.wait(pause):
                            return
                except OSError:
                    continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/{CANARY}?sig={CANARY}", received
    finally:
        ended.set()
        listening.close()


def send(url: str, seconds: float = 5.0) -> Delivery:
    message = OutgoingMessage(url, b'{"a":1}', {"content-type": "application/json", "webhook-id": "1"})
    assert CANARY not in repr(message)
    found = WebhookSender(lambda: NOW, seconds).send(message)
    assert CANARY not in found.why
    return found


def status(line: str, *headers: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {line}", *headers, "Content-Length: 0", "Connection: close", "", ""]).encode()


@pytest.mark.parametrize("line", ["200 OK", "202 Accepted", "204 No Content"])
def test_it_is_accepted_by_any_status_of_success(line: str) -> None:
    with answering(status(line)) as (url, received):
        assert send(url) == Delivery(accepted=True)
    assert received[0].startswith(b"POST /")
    assert b"webhook-id: 1" in received[0]


@pytest.mark.parametrize(
    ("answer", "passing", "seconds"),
    [
        (status("429 Too Many Requests", "Retry-After: 17"), True, 17.0),
        (status("503 Busy", "Retry-After: Sun, 01 Nov 2026 12:01:00 GMT"), True, 60.0),
        (status("500 Oops"), True, None),
        (status("408 Request Timeout"), True, None),
        (status("400 Bad Request", "Retry-After: 17"), False, None),
        (status("410 Gone"), False, None),
        (status("599 <script>"), True, None),
    ],
)
def test_a_status_says_whether_to_try_again_and_when(answer: bytes, passing: bool, seconds: float | None) -> None:
    with answering(answer) as (url, _):
        found = send(url)
    assert (found.accepted, found.passing, found.retry_after) == (False, passing, seconds)
    assert "script" not in found.why


def test_a_redirect_is_not_followed() -> None:
    with answering(status("200 OK")) as (other, reached):
        for code in ("301 Moved", "307 Temporary", "308 Permanent"):
            with answering(status(code, f"Location: {other}")) as (url, _):
                found = send(url)
            assert not found.accepted
            assert not found.passing
            assert "redirects are not followed" in found.why
    assert reached == []


def test_a_receiver_that_trickles_or_sends_without_end_is_left_in_time() -> None:
    with answering(*[b"H"] * 1000, pause=0.05) as (url, _):
        assert "did not end within 0.5 s" in send(url, 0.5).why
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n"
    with answering(head, *[b"x" * 65536] * 4) as (url, _):
        found = send(url)
    assert not found.accepted
    assert found.passing


def test_no_receiver_and_no_response_are_said_by_their_host_alone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    assert send(f"http://127.0.0.1:{port}/{CANARY}").why == "no connection to 127.0.0.1"
    with answering(b"") as (url, _):
        assert send(url).passing
    assert "DNS" in send(f"https://nowhere.invalid/{CANARY}").why


def test_no_package_logs_the_address(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    with answering(status("200 OK")) as (url, _):
        assert send(url).accepted
    assert CANARY not in caplog.text
    assert not [one for one in caplog.records if one.name.startswith("urllib3")]
