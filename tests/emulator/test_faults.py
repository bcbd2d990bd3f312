from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from emulator.control import ControlError
from tests.emulator.wire import POOLS, Wire, body

POOL = f"{POOLS}/old-pool"
AGENT_POOLS = "/fabrikam-prime/_apis/distributedtask/pools"


@pytest.mark.parametrize("kind", ["401", "403", "404", "409", "429", "500", "503"])
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
