"""The short way to an emulator of this process gives what a socket gives, and whatever it cannot play takes the socket."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from emulator import Running
from emulator.control import ControlError
from reconciler.adapters.bounds import BoundedAdapter, Exceeded, within
from tests.nearby import sockets, start
from tests.scenarios.drafts import GROUP, POOL, PRIME, SUBSCRIPTION, estate, managed, release
from tests.scenarios.world import World

RESOURCE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.DevOpsInfrastructure/pools"
PROJECTS = f"/{PRIME}/_apis/projects?api-version=7.1"
OF_AIOHTTP = {"Server", "Date"}


@pytest.fixture(scope="module")
def near() -> Iterator[Running]:
    with start(estate()) as running:
        yield running


@pytest.fixture
def client(near: Running) -> Iterator[requests.Session]:
    """As the program connects."""
    near.do.reset()
    with requests.Session() as session:
        session.mount("http://", BoundedAdapter(max_retries=0))
        yield session


def asked(
    near: Running, client: requests.Session, method: str, path: str, timeout: float = 30, **more: Any
) -> requests.Response:
    plane = "arm" if path.startswith("/subscriptions") else "devops"
    return client.request(
        method,
        getattr(near, plane) + path,
        headers={"Authorization": f"Bearer {near.tokens[plane]}"},
        allow_redirects=False,
        timeout=timeout,
        **more,
    )


def connections(near: Running) -> int:
    return int(near.do.counters()["total"]["connections"])


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", PROJECTS, None),
        ("GET", f"{RESOURCE}/{POOL}?api-version=2026-06-02", None),
        ("GET", f"{RESOURCE}/none?api-version=2026-06-02", None),
        ("GET", f"{RESOURCE}/{POOL}?api-version=1999-01-01", None),
        ("PUT", f"{RESOURCE}/{POOL}?api-version=2026-06-02", {"location": "nowhere"}),
        ("DELETE", f"{RESOURCE}/{POOL}?api-version=2026-06-02", None),
        ("OPTIONS", f"/{PRIME}/_apis", None),
        ("GET", f"/{PRIME}/_apis/connectionData?api-version=7.1-preview.1", None),
        ("PATCH", f"/{PRIME}/_apis/distributedtask/pools/1?api-version=7.1", {"name": "\u00fc"}),
        ("GET", "/nothing", None),
    ],
)
def test_both_ways_give_the_same(near: Running, client: requests.Session, method: str, path: str, body: Any) -> None:
    """Status, headers, body, what is in the log, and what it does to both planes."""
    found = []
    for far in (True, False):
        near.do.reset()
        near.do.reset_log()
        if far:
            with sockets():
                answer = asked(near, client, method, path, json=body)
            assert connections(near) <= 1
        else:
            answer = asked(near, client, method, path, json=body)
            assert connections(near) == 0
        headers = {name: value for name, value in answer.headers.items() if name not in OF_AIOHTTP}
        log = [{name: value for name, value in one.items() if name != "at"} for one in near.do.requests()]
        found.append((answer.status_code, sorted(headers), answer.encoding, unstamped(answer.text), log, people(near)))

    assert found[0] == found[1]
    assert len(found[0][4]) == 1


def unstamped(text: str) -> Any:
    """The shape of an answer: its moments and its numbers of requests are others each time."""
    try:
        document = json.loads(text)
    except ValueError:
        return text
    return shape(document)


def shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    return [shape(one) for one in value] if isinstance(value, list) else type(value).__name__


def people(near: Running) -> Any:
    return [shape(near.do.state()), [pool["name"] for one in near.do.state()["subscriptions"] for pool in one["pools"]]]


@pytest.mark.parametrize("kind", ["refused", "reset", "timeout-after", "truncated"])
def test_a_fault_takes_a_socket_and_others_do_not(near: Running, client: requests.Session, kind: str) -> None:
    near.do.fault(kind, route="projects.list")
    assert asked(near, client, "GET", f"{RESOURCE}/{POOL}?api-version=2026-06-02").ok
    assert connections(near) == 0
    with pytest.raises(requests.RequestException):
        asked(near, client, "GET", PROJECTS, timeout=0.5 if kind == "timeout-after" else 30)
    assert connections(near) == 1
    assert near.do.fault_hits() == 1
    assert asked(near, client, "GET", PROJECTS).ok
    assert connections(near) == 1, "the fault is over"


def test_who_is_held_waits(near: Running, client: requests.Session) -> None:
    near.do.hold(on=True)
    with pytest.raises(requests.Timeout):
        asked(near, client, "GET", PROJECTS, timeout=0.5)
    near.do.hold(on=False)
    assert asked(near, client, "GET", PROJECTS).ok


def test_bounds_are_kept(near: Running, client: requests.Session) -> None:
    with within(60, 10), pytest.raises(Exceeded, match="larger than 10 bytes"):
        asked(near, client, "GET", PROJECTS)
    later = iter((0.0, 61.0))
    with within(60, monotonic=lambda: next(later)), pytest.raises(Exceeded, match="did not end within 60 s"):
        asked(near, client, "GET", PROJECTS)


def test_the_log_says_the_same(near: Running, client: requests.Session, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", "urllib3")
    with sockets():
        asked(near, client, "GET", PROJECTS)
    far = caplog.messages[-1]
    asked(near, client, "GET", PROJECTS)

    assert PROJECTS in far
    assert caplog.messages[-1] == far


def test_refusals_of_the_control_port_are_told(near: Running) -> None:
    with pytest.raises(ControlError, match="none of these"):
        near.do.switch("none of these", value=True)


def test_handlers_run_one_at_a_time(near: Running, client: requests.Session) -> None:
    """From many threads, some by sockets: each name is counted once, and nothing is lost of the log."""
    near.do.reset_log()

    def ask(number: int) -> int:
        if number % 4:
            return asked(near, client, "GET", PROJECTS).status_code
        return requests.get(f"{near.devops}{PROJECTS}", timeout=30).status_code

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(ask, range(200)))

    assert answers == [200 if number % 4 else answers[0] for number in range(200)]
    assert len(near.do.requests()) == 200


def test_a_forked_process_asks_its_parent(near: Running) -> None:
    near.do.reset_log()
    child = multiprocessing.get_context("fork").Process(target=_ask, args=(near,))
    child.start()
    child.join(60)

    assert child.exitcode == 0
    assert [one["route"] for one in near.do.requests()] == ["projects.list"]


def _ask(near: Running) -> None:
    with requests.Session() as session:
        session.mount("http://", BoundedAdapter(max_retries=0))
        assert asked(near, session, "GET", PROJECTS).ok


def test_an_emulator_that_ended_is_gone() -> None:
    with start(estate()) as running:
        pass
    with requests.Session() as session:
        session.mount("http://", BoundedAdapter(max_retries=0))
        with pytest.raises(requests.ConnectionError):
            session.get(f"{running.devops}{PROJECTS}", timeout=1)


def test_a_look_makes_the_same_requests(near: Running, tmp_path: Path) -> None:
    """The program does not notice which way its requests take."""
    found = []
    for name in ("far", "near"):
        near.do.reset()
        (tmp_path / name).mkdir()
        world = World(near, tmp_path / name)
        world.spec(managed(), release())
        world.do.edit("open-access", organization=PRIME, pool=POOL, project="fabrikam-dev")
        if name == "far":
            with sockets():
                results = world.sweep()
        else:
            results = world.sweep()
        world.close()
        log = sorted((one["method"], one["path"], str(one["status"])) for one in world.do.requests())
        found.append((log, world.routes(), {pool: result.outcome for pool, result in results.items()}))

    assert [one for one in found[0][0] if "OPTIONS" not in one] == [one for one in found[1][0] if "OPTIONS" not in one]
    assert found[0][1:] == found[1][1:]
    assert len(found[0][1]) == 1
