from __future__ import annotations

import json

import pytest
import requests

from emulator.control import ControlError
from tests.emulator.wire import POOLS, Wire, body

POOL = f"{POOLS}/old-pool"


def test_the_dump_of_an_estate_is_the_same_estate_again(wire: Wire) -> None:
    wire.created("p-new", body())
    dump = wire.do.state()
    wire.do.replace(dump)
    assert wire.do.state() == dump


def test_reset_goes_back_to_the_start(wire: Wire) -> None:
    before = wire.do.state()
    wire.do.switch("arm.page-size", 1)
    wire.do.fault("500", count=None)
    wire.do.latency(0.01)
    wire.put("p-new", body())
    wire.do.edit("create-project", organization="fabrikam-prime", name="later")
    wire.do.reset()
    after = wire.do.state()
    assert [len(item["pools"]) for item in after["subscriptions"]] == [1, 0]
    assert [item["projects"] for item in after["organizations"]] == [
        item["projects"] for item in before["organizations"]
    ]
    assert wire.do.switches()["arm.page-size"] == 100
    assert (wire.do.faults(), wire.do.requests(), wire.do.events()) == ([], [], [])


def test_a_broken_estate_is_refused_and_the_world_says_why(wire: Wire) -> None:
    with pytest.raises(ControlError, match="colours: not a part of an estate"):
        wire.do.replace({"colours": []})


def test_the_log_says_who_asked_for_what_and_no_token(wire: Wire) -> None:
    wire.do.reset_log()
    answer = wire.put("p-new", {**body(), "tags": {"password": "hunter2"}}, headers={"x-extra": "1"})
    wire.arm("GET", answer.headers["Azure-AsyncOperation"])
    wire.devops("GET", "/fabrikam-prime/_apis/distributedtask/pools", token="nobody")
    put, status, refused = wire.do.requests()
    assert (put["plane"], put["route"], put["method"], put["status"]) == ("arm", "Pools_CreateOrUpdate", "PUT", 201)
    assert (put["caller"], refused["caller"], refused["status"]) == ("operator", "", 203)
    assert put["query"] == {"api-version": "2026-06-02"}
    assert status["query"]["s"] == "***"
    text = json.dumps(wire.do.requests())
    assert not any(secret in text for secret in ("arm-op", "hunter2", "Bearer", answer.headers["Location"][-20:]))


def test_counters_tell_reads_from_writes_on_each_plane(wire: Wire) -> None:
    wire.do.reset_log()
    wire.arm("GET", POOL)
    wire.arm("PATCH", POOL, {"tags": {}})
    wire.devops("GET", "/fabrikam-prime/_apis/distributedtask/pools")
    assert (wire.do.count(writes=False), wire.do.count(writes=True)) == (2, 1)
    assert (wire.do.count(writes=True, plane="devops"), wire.do.count(writes=False, plane="arm")) == (0, 1)


def test_calls_of_the_control_port_are_not_counted(wire: Wire) -> None:
    wire.do.reset_log()
    wire.do.state()
    assert wire.do.counters()["total"] == {"reads": 0, "writes": 0, "connections": 0}


def test_an_edit_that_does_not_exist_is_refused(wire: Wire) -> None:
    with pytest.raises(ControlError):
        wire.do.edit("paint", organization="fabrikam-prime")


def test_a_switch_that_does_not_exist_is_refused_with_the_nearest_name(wire: Wire) -> None:
    with pytest.raises(ControlError, match=r"did you mean 'arm.page-size'"):
        wire.do.switch("arm.pagesize", 1)
    with pytest.raises(ControlError, match=r"'maybe' is not one of: removed \| kept"):
        wire.do.switch("arm.failed-create", "maybe")
    with pytest.raises(ControlError, match=r"on \| off"):
        wire.do.switch("arm.echo-open-access", "perhaps")
    with pytest.raises(ControlError, match="whole number"):
        wire.do.switch("arm.page-size", -1)


def test_words_turn_switches_as_well_as_values_do(wire: Wire) -> None:
    wire.do.switch("arm.echo-open-access", "on")
    wire.do.switch("arm.page-size", "7")
    assert (wire.do.switches()["arm.echo-open-access"], wire.do.switches()["arm.page-size"]) == (True, 7)


def test_the_clock_does_not_go_back(wire: Wire) -> None:
    with pytest.raises(ControlError, match="would turn the clock back"):
        wire.do.advance(-1)


def test_the_control_port_answers_on_loopback_names_only(wire: Wire) -> None:
    """A web page that rebinds its own name to 127.0.0.1 gets nothing."""
    answer = requests.get(f"{wire.running.control}/state", headers={"Host": "evil.example:80"}, timeout=60)
    assert answer.status_code == 403


def test_health_says_how_much_is_in_flight(wire: Wire) -> None:
    wire.put("p-new", body())
    assert requests.get(f"{wire.running.control}/health", timeout=60).json()["inFlight"] == 2
    wire.do.settle()
    assert requests.get(f"{wire.running.control}/health", timeout=60).json()["inFlight"] == 0
