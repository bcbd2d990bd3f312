"""What may be requested over HTTP and what is the response: requests once, problems in one sentence, nothing secret."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.engine.status import InFlight, PoolStatus
from reconciler.errors import LeaseHeld, Throttled
from reconciler.plan.sync import SyncCause
from reconciler.ports.stores import StateStore
from reconciler.service.http import api
from reconciler.service.http.deliveries import KEEP, RememberedDeliveries
from reconciler.service.http.message import MAX_BODY, HttpRequest, HttpResponse
from reconciler.service.http.webhooks import Push
from tests.contract.families import Settable
from tests.keeping import Shelf
from tests.service.queue.hall import Hall, hall

JSON = {"content-type": "application/json"}


@dataclass
class Asking:
    """A desk and what was asked for at it."""

    place: Hall
    clock: Settable
    asked: list[tuple[str, ...]] = field(default_factory=list)

    @property
    def desk(self) -> api.ApiContext:
        catalogue, state = self.place.worker.catalogue, self.place.stores.state
        return api.ApiContext(
            catalogue, state, self.clock, lambda spec, at: {"pool": spec.name, "at": at}, self._ask, "main"
        )

    def _ask(self, specs: Any, trigger: str) -> None:
        self.asked.append((trigger, *(spec.name for spec in specs)))

    def post(self, body: Any = None, **headers: str) -> HttpResponse:
        content = b"" if body is None else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = HttpRequest("POST", "https://x/api/reconcile?code=1", headers=JSON | named, body=content)
        return api.answering(lambda: api.reconcile(self.desk, request))


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[Asking]:
    with hall(tmp_path, pools=3) as (place, clock):
        yield Asking(place, clock)


def problem(answered: HttpResponse) -> tuple[int, str]:
    assert answered.content_type == "application/problem+json"
    assert answered.body["status"] == answered.status
    assert set(answered.body) == {"type", "title", "status", "detail"}
    return answered.status, answered.body["detail"]


def test_a_wish_for_all_pools_and_for_some(asking: Asking) -> None:
    assert asking.post().status == 202
    answered = asking.post({"pools": ["POOL-2", "pool-2", "pool-1"]})

    assert asking.asked == [("http", "pool-1", "pool-2", "pool-3"), ("http", "pool-2", "pool-1")]
    assert answered.body == {"accepted": ["pool-2", "pool-1"], "status": "/api/pools"}
    assert answered.headers == {"Location": "/api/pools", "Retry-After": "5"}


BAD = [
    ({"pools": []}, 400, "pools: must be a list of 1 to 1000 names"),
    ({"pools": "pool-1"}, 400, "pools: must be a list"),
    ({"pools": None}, 400, "pools: must be a list"),
    ({"pools": [1]}, 400, "pools: each must be a name of 1 to 64 characters"),
    ({"pools": ["x" * 65]}, 400, "pools: each must be a name"),
    ({"pool": ["pool-1"]}, 400, 'body: must be empty or an object with "pools" alone'),
    ([], 400, "body: must be empty or an object"),
    (0, 400, "body: must be empty or an object"),
    ({"pools": ["pool-1", "pool-22"]}, 404, "pools: no spec names 'pool-22'; did you mean pool-2?"),
    ({"pools": ["\N{GREEK SMALL LETTER ALPHA}"]}, 404, "pools: no spec names"),
]


@pytest.mark.parametrize(("body", "status", "detail"), BAD)
def test_a_bad_wish_gets_one_sentence_and_changes_nothing(asking: Asking, body: Any, status: int, detail: str) -> None:
    found = problem(asking.post(body))

    assert found[0] == status
    assert found[1].startswith(detail)
    assert asking.asked == []


WIRE = [
    (b"{", JSON, 400, "body: this is not JSON"),
    (b"[" * 60_000, JSON, 400, "body: this is not JSON"),
    (b"\xff", JSON, 400, "body: this is not JSON"),
    (b"null", JSON, 400, 'body: must be empty or an object with "pools" alone'),
    (b"{}", {"content-type": "text/plain"}, 415, "body: send application/json"),
    (b"{}", {}, 415, "body: send application/json"),
    (b" " * (MAX_BODY + 1), JSON, 413, f"body: {MAX_BODY + 1} bytes, the limit is {MAX_BODY}"),
    (b"", JSON | {"idempotency-key": ""}, 400, "Idempotency-Key: 1 to 128 visible ASCII characters"),
    (b"", JSON | {"idempotency-key": "two words"}, 400, "Idempotency-Key: 1 to 128 visible ASCII characters"),
    (b"", JSON | {"idempotency-key": "x" * 129}, 400, "Idempotency-Key: 1 to 128 visible ASCII characters"),
]


@pytest.mark.parametrize(("body", "headers", "status", "detail"), WIRE)
def test_a_bad_body_gets_one_sentence_too(
    asking: Asking, body: bytes, headers: dict[str, str], status: int, detail: str
) -> None:
    request = HttpRequest("POST", "/api/reconcile", headers=headers, body=body)

    assert problem(api.answering(lambda: api.reconcile(asking.desk, request))) == (status, detail)
    assert asking.asked == []


def test_the_same_key_with_the_same_wish_is_one_wish(asking: Asking) -> None:
    first = asking.post({"pools": ["pool-1"]}, idempotency_key="k1")
    again = asking.post({"pools": ["pool-1"]}, idempotency_key="k1")

    assert (first, len(asking.asked)) == (again, 1)
    assert asking.post({"pools": ["pool-1"]}, idempotency_key="k2").status == 202
    assert len(asking.asked) == 2


def test_the_same_key_with_another_wish_is_a_mistake(asking: Asking) -> None:
    asking.post({"pools": ["pool-1"]}, idempotency_key="k1")

    assert problem(asking.post({"pools": ["pool-2"]}, idempotency_key="k1")) == (
        422,
        "Idempotency-Key: used before for another request",
    )
    assert len(asking.asked) == 1


def test_a_key_is_good_for_a_day(asking: Asking) -> None:
    asking.post({"pools": ["pool-1"]}, idempotency_key="k1")
    asking.clock.advance(86_401)

    assert asking.post({"pools": ["pool-2"]}, idempotency_key="k1").status == 202


def test_a_wish_that_could_not_be_put_is_not_remembered_as_put(asking: Asking) -> None:
    """The caller tries again with the same key, and then it has to happen."""

    def busy(specs: Any, trigger: str) -> None:
        raise Throttled("queue work: 503", retry_after=7.2)

    request = HttpRequest(
        "POST", "/api/pools/pool-1/reconcile", params={"name": "pool-1"}, headers={"idempotency-key": "k"}
    )
    refused = api.answering(lambda: api.reconcile_pool(replace(asking.desk, enqueue=busy), request))
    accepted = api.answering(lambda: api.reconcile_pool(asking.desk, request))

    assert (refused.status, refused.headers) == (503, {"Retry-After": "8"})
    assert (accepted.status, accepted.headers["Location"]) == (202, "/api/pools/pool-1")
    assert len(asking.asked) == 1


def test_workers_that_remember_at_the_same_time_forget_nothing(asking: Asking) -> None:
    state, together = asking.place.stores.state, threading.Barrier(4)

    def keep(number: int) -> None:
        together.wait(300)
        RememberedDeliveries(state, asking.clock, "idempotency").keep(f"k{number}", number)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(keep, range(4)))

    memory = RememberedDeliveries(state, asking.clock, "idempotency")
    assert [memory.find(f"k{number}") for number in range(4)] == [0, 1, 2, 3]


def test_a_memory_is_bounded_and_tells_no_key() -> None:
    state: StateStore = Shelf()
    memory = RememberedDeliveries(state, clock := Settable(), "deliveries")
    for number in range(KEEP + 5):
        memory.keep(f"canary-{number}", number)
        clock.advance(1)

    stored = state.load("deliveries")
    assert stored is not None
    assert (len(stored.body), "canary" in json.dumps(stored.body)) == (KEEP, False)
    assert (memory.find("canary-0"), memory.find(f"canary-{KEEP + 4}")) == (None, KEEP + 4)


def test_a_memory_that_is_always_taken_away_says_so() -> None:
    state = Shelf()
    state.before = state.touch

    with pytest.raises(LeaseHeld):
        RememberedDeliveries(state, Settable(), "deliveries").keep("k", 1)


def test_pools_say_how_they_are_and_one_pool_says_all(asking: Asking) -> None:
    asking.place.outbox.events.put("pool-1")
    asking.place.turn(asking.place.outbox.events)

    lines = {line["name"]: line for line in api.pools(asking.desk).body["pools"]}
    assert (lines["pool-1"]["ready"], lines["pool-1"]["reason"]) == ("True", "InSync")
    assert (lines["pool-2"]["ready"], lines["pool-2"]["reason"]) == ("Unknown", "NeverLookedAt")
    assert (lines["pool-1"]["outOfSync"], lines["pool-2"]["outOfSync"]) == (None, None)
    one = api.pool(asking.desk, HttpRequest("GET", "", params={"name": "Pool-1"})).body
    assert (one["name"], one["revision"], one["status"]["appliedRevision"]) == ("pool-1", "c0ffee", "c0ffee")
    assert api.pool(asking.desk, HttpRequest("GET", "", params={"name": "pool-2"})).body["status"] is None
    assert api.plan(asking.desk, HttpRequest("GET", "", params={"name": "pool-2"})).body == {
        "pool": "pool-2",
        "at": "c0ffee",
    }


def test_the_list_says_why_a_pool_is_out_of_sync(asking: Asking) -> None:
    status = PoolStatus("pool-1", cause=SyncCause.DRIFT)
    asking.place.stores.state.save("pools/pool-1", status.to_json(), None)

    (line,) = [one for one in api.pools(asking.desk).body["pools"] if one["name"] == "pool-1"]

    assert line["outOfSync"] == "drift"


def test_the_signed_address_of_an_operation_is_never_shown(asking: Asking) -> None:
    flying = InFlight("https://x?sig=canary", "update", "pool", "id", 5.0, asking.clock.now())
    asking.place.stores.state.save("pools/pool-1", PoolStatus("pool-1", pending=flying).to_json(), None)

    shown = api.pool(asking.desk, HttpRequest("GET", "", params={"name": "pool-1"})).body
    assert shown["status"]["pending"]["description"] == "update"
    assert "canary" not in json.dumps(shown)


@pytest.mark.parametrize(
    ("reason", "pushes", "looks"),
    [
        ("our branch", (Push("d1", "refs/heads/main"),), 1),
        ("the same delivery again", (Push("d1", "refs/heads/main"), Push("d1", "refs/heads/main")), 1),
        ("another branch", (Push("d1", "refs/heads/dev"),), 0),
        ("a tag of our branch's name", (Push("d1", "refs/tags/main"),), 1),
        ("a ping", (Push("d1"),), 0),
        ("no id to remember", (Push("", "refs/heads/main"),), 1),
    ],
)
def test_a_push_of_our_branch_is_looked_at_once(
    asking: Asking, reason: str, pushes: tuple[Push, ...], looks: int
) -> None:
    looked: list[bool] = []
    for push in pushes:
        assert api.pushed(asking.desk, (push,), lambda: looked.append(True)).status == 202

    assert len(looked) == looks, reason


def test_a_look_that_failed_is_not_remembered_as_done(asking: Asking) -> None:
    def away() -> None:
        raise Throttled("git: 429")

    with pytest.raises(Throttled):
        api.pushed(asking.desk, (Push("d1", "refs/heads/main"),), away)
    looked: list[bool] = []
    api.pushed(asking.desk, (Push("d1", "refs/heads/main"),), lambda: looked.append(True))

    assert looked == [True]
