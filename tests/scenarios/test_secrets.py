"""Nothing secret is written down, wherever it is looked for, and a token goes where it belongs and nowhere else.

Canaries are planted where secrets live: in both tokens, in the name of the person who clicked, in the signed query of
an operation's URL. The one place that has to keep such a URL is the state file: nothing else leads to the operation.
"""

from __future__ import annotations

import json
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from emulator import Running, start
from reconciler.engine import Outcome
from reconciler.plan import render
from tests.cli.process import Desk
from tests.scenarios.drafts import POOL, PRIME, RELEASE, TAILSPIN, estate, managed, organization, release
from tests.scenarios.world import World, summary

ARM, DEVOPS = "canary-head.canary-claims.canary-arm", "canary-head.canary-claims.canary-devops"
ACTOR = "canary-actor"
WIDER = organization(PRIME, ["fabrikam-dev", "fabrikam-test"], open_access=False, parallelism=5)
KINDS = ("401", "403", "404", "409", "500", "503", "203", "302", "429", "truncated", "refused", "retry-after")


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    """An estate full of canaries."""
    found = estate()
    operator, *others = found["principals"]
    actor = {"name": "mallory", "kind": "user", "mail": f"{ACTOR}@fabrikam.com", "displayName": ACTOR}
    found["principals"] = [{**operator, "armToken": ARM, "devopsToken": DEVOPS}, *others, actor]
    for one in found["organizations"]:
        one["identities"].append("mallory")
    with start(found) as started:
        yield started


@pytest.fixture
def desk(tmp_path: Path, world: World) -> Desk:
    """A person's desk beside the world."""
    made = Desk(tmp_path)
    made.environment |= {**world.environment(), "RECONCILER_SPECS": str(world.write_specs())}
    return made


def drift(world: World) -> None:
    """Something to tell, all of it done by one whose name is a canary."""
    world.spec(managed(prime=WIDER), release())
    world.by_hand("open-access", organization=PRIME, pool=POOL, project="fabrikam-dev", by="mallory")
    world.by_hand("close-access", organization=TAILSPIN, pool=POOL, project="Web", by="mallory")
    world.by_hand("set-role", organization=PRIME, pool=POOL, who="eve", role="Administrator", by="mallory")


def signed(world: World) -> list[str]:
    """Values of the signed query of the operation that the state file keeps."""
    with closing(sqlite3.connect(world.folder / "state.db")) as file:
        text = "\n".join(file.iterdump())
    urls = [part for part in text.replace('"', " ").split() if part.startswith(world.running.arm)]
    assert urls, "a pool with an operation in flight keeps its URL"
    return [value for name, value in parse_qsl(urlsplit(urls[0]).query) if name in {"s", "h"}]


def test_no_command_prints_a_secret_in_any_form(world: World, desk: Desk) -> None:
    """Plans go into pull requests, status into dashboards, standard error into the logs of other systems."""
    drift(world)
    world.write_specs()
    world.switch(arm__update_seconds=3600)
    said = [desk.run("apply", POOL, "--timeout", "0")]
    for form in ("text", "json", "markdown"):
        said += [desk.run("plan", RELEASE, POOL, "--output", form), desk.run("status", "--output", form)]
    secrets = signed(world)

    assert len(secrets) == 2
    for ended in said:
        for secret in (*secrets, ACTOR, "canary-"):
            assert secret not in ended.out + ended.err
    world.do.settle()
    world.settle()


@pytest.mark.parametrize("kind", ["203", "500", "truncated"])
def test_no_command_prints_a_secret_when_all_goes_wrong(world: World, desk: Desk, kind: str) -> None:
    """Errors are where libraries like to show what they were doing."""
    world.do.fault(kind, count=None)

    ended = desk.run("apply", "--verbose")

    assert ended.code == 1
    assert "canary-" not in ended.out + ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("kind", KINDS)
def test_no_fault_puts_a_secret_into_an_error_a_plan_or_the_state(world: World, kind: str) -> None:
    """Each kind of fault at each call: what is left of it is read from every place that is written."""
    drift(world)
    world.apply(RELEASE)
    world.do.fault(kind, count=None, seconds=900)

    result, plan = world.apply(), world.plan()

    assert result.outcome is not Outcome.IN_SYNC
    told = [summary({POOL: result}), repr(result), json.dumps(result.status.public()), repr(plan)]
    told += [render.text(plan), render.markdown(plan), json.dumps(render.to_json(plan))]
    told += [repr(failure.error.__context__) for failure in result.failures]
    with closing(sqlite3.connect(world.folder / "state.db")) as file:
        told.append("\n".join(file.iterdump()))
    assert all("canary-" not in text for text in told)
    world.do.clear_faults()
    world.later(900)
    world.settle()


def test_the_state_file_holds_the_operation_s_url_and_no_other_secret(world: World) -> None:
    """Without the URL nothing leads back to the operation; once that is over, the URL goes too."""
    drift(world)
    world.switch(arm__update_seconds=3600)
    flying = world.apply()
    kept = signed(world)
    with closing(sqlite3.connect(world.folder / "state.db")) as file:
        text = "\n".join(file.iterdump())

    assert "canary-" not in text
    assert all(secret not in repr(flying) + json.dumps(flying.status.public()) for secret in kept)
    world.do.settle()
    world.settle()
    with closing(sqlite3.connect(world.folder / "state.db")) as file:
        assert all(secret not in "\n".join(file.iterdump()) for secret in kept)


def test_each_plane_sees_its_own_token_and_no_other(world: World) -> None:
    """A token of one plane on the other would be answered with a sign-in page, and would have been given away."""
    drift(world)
    world.settle()

    callers = {(entry["plane"], entry["caller"]) for entry in world.do.requests()}

    assert callers == {("arm", "operator"), ("devops", "operator")}
    assert {entry["status"] for entry in world.do.requests()} <= {200, 201, 202, 204}


def test_an_operation_s_url_that_points_elsewhere_gets_neither_token_nor_call(world: World) -> None:
    """A writer of the state, or a server in the place of ARM, must not be able to send our token to another host."""
    drift(world)
    world.switch(arm__update_seconds=3600)
    world.apply()
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.settimeout(0)
        there = f"http://127.0.0.1:{elsewhere.getsockname()[1]}"
        world.rewrite_state(world.running.arm, there)
        world.apply()
        with pytest.raises(BlockingIOError):
            elsewhere.accept()
    world.do.settle()
    world.settle()


def test_a_redirect_is_not_followed(world: World) -> None:
    """The answer of an expired session on some routes: following it would show the token to a sign-in page."""
    world.do.fault("302", route="projects.list", organization=PRIME)
    world.do.reset_log()

    result = world.apply()

    assert result.outcome is not Outcome.IN_SYNC
    asked = [entry for entry in world.do.requests() if "signin" in entry["path"].lower()]
    assert asked == []
