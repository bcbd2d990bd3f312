from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from emulator.control import ControlError
from tests.emulator.wire import POOLS, VERSION, Wire, body

POOL = f"{POOLS}/old-pool"
AGENT_POOLS = "/fabrikam-prime/_apis/distributedtask/pools"
UNCHECKED = (f"{POOL}?api-version={VERSION}", f"{AGENT_POOLS}?api-version=7.1-preview.1")
"""Read as they are: what a fault makes of an answer is not in the published documents."""


@pytest.mark.parametrize("kind", ["401", "403", "404", "409", "412", "429", "500", "503"])
def test_a_status_fault_answers_in_the_shape_of_each_plane(wire: Wire, kind: str) -> None:
    for call, path in ((wire.arm, POOL), (wire.devops, AGENT_POOLS)):
        wire.do.fault(kind, seconds=7)
        answer = call("GET", path)
        assert answer.status_code == int(kind)
        if kind in {"429", "503"}:
            assert answer.headers["Retry-After"] == "7"
        assert call("GET", path).status_code == 200


@pytest.mark.parametrize("kind", ["203", "302"])
def test_the_sign_in_page_comes_to_order(wire: Wire, kind: str) -> None:
    """Also to a caller with a good token: that is how an expired session looks."""
    wire.do.fault(kind, plane="devops")
    answer = wire.devops("GET", AGENT_POOLS)
    assert (answer.status_code, "html" in answer.headers["Content-Type"]) == (int(kind), True)


def test_a_refused_connection_is_closed_without_a_word(wire: Wire) -> None:
    wire.do.fault("refused", route="Pools_CreateOrUpdate")
    with pytest.raises(requests.ConnectionError):
        wire.put("p-new", body())
    assert wire.arm("GET", f"{POOLS}/p-new").status_code == 404


def test_a_timeout_before_the_effect_leaves_nothing_done(wire: Wire) -> None:
    wire.do.fault("timeout-before", route="Pools_CreateOrUpdate")
    with pytest.raises(requests.Timeout):
        wire.put("p-new", body(), timeout=0.2)
    assert wire.arm("GET", f"{POOLS}/p-new").status_code == 404


def test_a_timeout_after_the_effect_has_done_it(wire: Wire) -> None:
    """The caller cannot tell the two apart: only reading again can."""
    wire.do.fault("timeout-after", route="Pools_CreateOrUpdate")
    with pytest.raises(requests.Timeout):
        wire.put("p-new", body(), timeout=0.5)
    while not [entry for entry in wire.do.requests() if entry["method"] == "PUT"]:
        time.sleep(0.01)  # a busy machine may take it up after its caller went
    assert wire.arm("GET", f"{POOLS}/p-new").status_code == 200
    assert [entry["status"] for entry in wire.do.requests() if entry["method"] == "PUT"] == [0]


def test_retry_after_comes_on_a_200(wire: Wire) -> None:
    wire.do.fault("retry-after", route="pools.list", seconds=12)
    answer = wire.devops("GET", AGENT_POOLS)
    assert (answer.status_code, answer.headers["Retry-After"]) == (200, "12")


def test_retry_after_can_be_any_text(wire: Wire) -> None:
    wire.do.fault("retry-after", route="pools.list", value="soon")
    assert wire.devops("GET", AGENT_POOLS).headers["Retry-After"] == "soon"


def test_each_list_of_an_answer_can_have_an_entry_that_is_null(wire: Wire) -> None:
    before = wire.devops("GET", AGENT_POOLS).json()
    wire.do.fault("nulls", route="pools.list")
    answer = wire.devops("GET", AGENT_POOLS).json()
    assert answer["value"][:-1] == before["value"]
    assert answer["value"][-1] is None
    assert answer["count"] == before["count"] + 1


def test_a_truncated_body_promises_more_than_it_sends(wire: Wire) -> None:
    wire.do.fault("truncated")
    with pytest.raises(requests.exceptions.RequestException):
        wire.arm("GET", POOL)


def test_a_throttled_answer_can_name_no_time_or_any_text(wire: Wire) -> None:
    wire.do.fault("429-bare")
    wire.do.fault("429", value="soon")
    answers = [wire.devops("GET", AGENT_POOLS) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [429, 429]
    assert [answer.headers.get("Retry-After") for answer in answers] == [None, "soon"]


def test_a_byte_order_mark_stands_before_the_error(wire: Wire) -> None:
    wire.do.fault("503-bom", seconds=3)
    answer = requests.get(f"{wire.running.arm}{POOL}", timeout=60)
    assert (answer.status_code, answer.headers["Retry-After"], answer.content[:4]) == (503, "3", b"\xef\xbb\xbf{")


def test_a_reset_connection_did_nothing(wire: Wire) -> None:
    wire.do.fault("reset", route="Pools_CreateOrUpdate")
    with pytest.raises(requests.ConnectionError):
        wire.put("p-new", body())
    assert wire.arm("GET", f"{POOLS}/p-new").status_code == 404


def test_an_expired_token_is_expired_for_the_whole_plane(wire: Wire) -> None:
    """From the request that it hits, and until faults are cleared; the other plane does not notice."""
    wire.do.fault("expired", route="pools.list", skip=1)
    assert [wire.devops("GET", AGENT_POOLS).status_code for _ in range(3)] == [200, 401, 401]
    assert wire.devops("GET", "/fabrikam-prime/_apis/projects").status_code == 401
    assert wire.arm("GET", POOL).status_code == 200
    assert wire.do.fault_hits() == 3
    wire.do.clear_faults()
    assert (wire.devops("GET", AGENT_POOLS).status_code, wire.do.fault_hits()) == (200, 0)


@pytest.mark.parametrize(
    ("kind", "content", "media"),
    [("null", b"null", "json"), ("empty", b"", "json"), ("html", b"<!DOCTYPE", "text/html")],
)
def test_a_200_can_say_nothing_of_what_was_asked(wire: Wire, kind: str, content: bytes, media: str) -> None:
    for call, path in zip((wire.arm, wire.devops), UNCHECKED, strict=True):
        wire.do.fault(kind)
        answer = call("GET", path, version=None)
        assert (answer.status_code, answer.content[: len(content) or 1]) == (200, content)
        assert media in answer.headers["Content-Type"]


def test_the_right_body_comes_under_another_type_or_with_white_space_behind_it(wire: Wire) -> None:
    for call, path in zip((wire.arm, wire.devops), UNCHECKED, strict=True):
        right = call("GET", path, version=None).json()
        wire.do.fault("text")
        wire.do.fault("huge")
        text, huge = call("GET", path, version=None), call("GET", path, version=None)
        assert (text.json(), text.headers["Content-Type"]) == (right, "text/plain; charset=utf-8")
        assert (huge.json(), len(huge.content) > 40_000_000) == (right, True)


def test_entries_come_twice_and_words_and_fields_are_new(wire: Wire) -> None:
    before = wire.devops("GET", AGENT_POOLS).json()
    for kind in ("doubled", "fields", "enums"):
        wire.do.fault(kind)
    doubled, fields, enums = (wire.devops("GET", AGENT_POOLS).json() for _ in range(3))
    assert doubled["value"] == before["value"] * 2
    assert {key for one in fields["value"] for key in one} - {key for one in before["value"] for key in one} == {
        "unheard"
    }
    assert {one["poolType"] for one in enums["value"]} == {"Unheard"}


@pytest.mark.parametrize(("kind", "tokens"), [("repeated", 1), ("endless", 3)])
def test_a_page_leads_to_itself(wire: Wire, kind: str, tokens: int) -> None:
    """By the same token each time, or by another one; without the fault the token leads to a page without one."""
    first = wire.devops("GET", AGENT_POOLS).json()
    wire.do.fault(kind, count=3)
    seen: list[str] = []
    for _ in range(3):
        query = f"?continuationToken={seen[-1]}" if seen else ""
        answer = wire.devops("GET", AGENT_POOLS + query)
        assert answer.json() == first
        seen.append(answer.headers["x-ms-continuationtoken"])
    assert len(set(seen)) == tokens
    assert "x-ms-continuationtoken" not in wire.devops("GET", f"{AGENT_POOLS}?continuationToken={seen[-1]}").headers
    wire.do.fault(kind)
    link = wire.arm("GET", POOLS).json()["nextLink"]
    found = requests.get(link, headers={"Authorization": "Bearer arm-op"}, timeout=60).json()
    assert found == wire.arm("GET", POOLS).json()


def test_a_body_that_trickles_does_not_end(wire: Wire) -> None:
    wire.do.fault("trickle")
    with requests.get(f"{wire.running.arm}{POOL}", stream=True, timeout=60) as answer:
        assert answer.raw.read(3) == b"   "


def test_a_slow_answer_takes_its_time(wire: Wire) -> None:
    wire.do.fault("slow", seconds=0.2)
    begun = time.monotonic()
    assert wire.arm("GET", POOL).status_code == 200
    assert time.monotonic() - begun >= 0.2


def test_filters_choose_whom_a_fault_hits(wire: Wire) -> None:
    wire.do.fault("500", method="get", plane="devops", organization="FABRIKAM-second", path="*pools", count=None)
    assert wire.arm("GET", POOL).status_code == 200
    assert wire.devops("GET", AGENT_POOLS).status_code == 200
    assert wire.devops("GET", AGENT_POOLS.replace("prime", "second")).status_code == 500
    assert wire.devops("GET", AGENT_POOLS.replace("prime", "second")).status_code == 500
    wire.do.clear_faults()
    assert wire.devops("GET", AGENT_POOLS.replace("prime", "second")).status_code == 200


def test_a_fault_can_let_some_pass_and_hit_some(wire: Wire) -> None:
    wire.do.fault("503", route="Pools_*", skip=1, count=2, caller="operator")
    assert [wire.arm("GET", POOL).status_code for _ in range(4)] == [200, 503, 503, 200]
    assert wire.do.faults() == []


def test_a_fault_that_does_not_exist_is_refused_with_those_that_do(wire: Wire) -> None:
    with pytest.raises(ControlError, match=r"kind 'flood' is not one of: refused"):
        wire.do.fault("flood")
    with pytest.raises(ControlError, match="unexpected keyword argument 'colour'"):
        wire.do.fault("500", colour="red")


def test_latency_slows_every_answer_of_the_planes(wire: Wire) -> None:
    wire.do.latency(0.1)
    begun = time.monotonic()
    wire.arm("GET", POOL)
    assert time.monotonic() - begun >= 0.1


def test_held_requests_wait_until_they_are_let_through(wire: Wire) -> None:
    """Nothing of a request happens before: a write that is held is not there yet."""
    wire.do.hold(on=True)
    with ThreadPoolExecutor(2) as threads:
        made = threads.submit(wire.put, "p-new", body())
        while wire.do.held() < 1:
            time.sleep(0.01)
        read = threads.submit(wire.arm, "GET", f"{POOLS}/p-new")
        while wire.do.held() < 2:
            time.sleep(0.01)
        assert not made.done()
        assert wire.do.release() == 2
        assert made.result(60).status_code == 201
        assert read.result(60).status_code in (200, 404)
    wire.do.hold(on=False)

    assert wire.arm("GET", f"{POOLS}/p-new").status_code == 200
    assert wire.do.held() == 0
