"""What `probe` reads with: one GET whose refusal is a result, and the list of queues that no other source confirms."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from reconciler.adapters import credentials
from reconciler.adapters.devops.endpoints import Endpoints
from reconciler.adapters.devops.exchange import OutgoingRequest
from reconciler.adapters.devops.reads import DevOps, RawDevOps
from reconciler.adapters.devops.session import Session
from reconciler.errors import Forbidden, ReconcilerError, Refused, Rejected, Throttled, Unavailable
from reconciler.ports.devops import Queue
from tests.adapters.devops.scripted import Reply, Scripted, failure, wrapped

PROJECT = "5d1bd2b9-0d2f-4a5e-9a6d-0f3a2c9d7e11"
EVERYWHERE = "/prime/_apis/distributedtask/queues"
ASKED = "/prime/_apis/anything"


def queue(id_: int, **more: Any) -> dict[str, Any]:
    return {"id": id_, "projectId": PROJECT.upper(), "name": "pool-7", "pool": {"id": 7, "name": "pool-7"}, **more}


def test_queues_of_all_projects_are_one_request_and_name_their_projects(reads: DevOps, service: Scripted) -> None:
    service.reply("GET", EVERYWHERE, wrapped(queue(12), queue(13, pool={"id": 99})))

    assert reads.organization_queues("prime", [7, 8]) == [Queue(12, "pool-7", PROJECT, 7)]
    assert service.only.query == {"poolIds": "7,8", "api-version": "7.1"}


def test_a_queue_that_does_not_name_its_project_makes_the_list_useless(reads: DevOps, service: Scripted) -> None:
    service.reply("GET", EVERYWHERE, wrapped(queue(12, projectId=None)))

    with pytest.raises(Unavailable, match="queues of all projects: an entry of the response names no project"):
        reads.organization_queues("prime", [7])


def test_a_route_that_is_not_there_is_a_refusal_and_no_missing_thing(reads: DevOps, service: Scripted) -> None:
    service.reply("GET", EVERYWHERE, Reply(failure("HttpException", "no controller"), 404))

    with pytest.raises(Rejected):
        reads.organization_queues("prime", [7])


@pytest.mark.parametrize("status", [400, 404])
def test_a_refusal_of_the_question_is_an_answer(session: Session, service: Scripted, status: int) -> None:
    service.reply("GET", ASKED, Reply(failure("ArgumentException", "id"), status, {"X-RateLimit-Remaining": "5"}))

    heard = RawDevOps(session).get("prime", "_apis/anything", {"type": "queue"})

    assert (heard.status, heard.refused, heard.rates) == (status, True, {"x-ratelimit-remaining": "5"})
    assert service.only.query == {"type": "queue"}
    assert "id" not in repr(heard)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(None, 401), Forbidden),
        (Reply(failure("AccessDeniedException", "no"), 403), Forbidden),
        (Reply(b"<html>", 203, {"Content-Type": "text/html"}), Forbidden),
        (Reply(failure("X", "TF400733"), 429, {"Retry-After": "60"}), Throttled),
        (Reply(failure("X", "sick"), 500), Unavailable),
    ],
)
def test_what_tells_nothing_is_no_answer(
    session: Session, service: Scripted, reply: Reply, error: type[ReconcilerError]
) -> None:
    service.reply("GET", ASKED, reply)

    with pytest.raises(error):
        RawDevOps(session).get("prime", "_apis/anything", {})


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"])
def test_a_session_for_reading_sends_get_and_nothing_else(service: Scripted, method: str) -> None:
    session = Session(
        credentials.static("canary-arm-token", "canary-devops-token", [service.url]),
        Endpoints(service.url, service.url, allow_loopback=True),
        gets_alone=True,
    )
    call = OutgoingRequest("prime", method, session.endpoints.url("prime", "_apis/anything"), "anything", "anything")

    for send in (session.send, partial(session.send, accept_rejection=True), session.rest):
        with pytest.raises(
            Refused, match=f"organization prime: {method} anything: this session sends GET requests only"
        ):
            send(call)
    session.close()
    assert service.everything == []
