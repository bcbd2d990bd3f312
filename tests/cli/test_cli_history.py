"""`history` as a process: what a person and a pipeline read, bad input, and onboarding that is recorded before."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from emulator import Running, start
from tests.cli.process import Desk
from tests.tools.onboard.fabrikam import ESTATE, ROBOT

POOL = "fabrikam-managed-pool"


def test_what_was_applied_is_shown_as_a_table_and_as_json_and_by_run(online: Desk) -> None:
    assert online.run("apply", "--yes").code == 0

    table = online.run("history", POOL)
    assert table.code == 0, table.err
    document = json.loads(online.run("history", POOL.upper(), "--output", "json").out)

    assert document["format"] == "reconciler/history/v1"
    assert len(document["writes"]) == len(table.out.splitlines()) > 3
    newest = document["writes"][0]
    assert table.out.splitlines()[0].endswith(newest["run"])
    assert "verified" in table.out.splitlines()[0]
    assert f"{POOL}.yaml:{newest['line']}" in table.out.splitlines()[0]
    assert newest["line"] > 0
    assert table.err.splitlines()[-1].startswith(f"{POOL}: Ready True, InSync, since ")
    assert {one["trigger"] for one in document["writes"]} == {"command"}

    shown = online.run("history", "show", newest["run"])
    assert shown.out.splitlines()[0].startswith(f"run {newest['run']} of {POOL}, started ")
    run = json.loads(online.run("history", "show", newest["run"], "-o", "json").out)
    assert newest["id"] in [one["id"] for one in run["writes"]]

    page = online.run("history", "--limit", "2", "-o", "json")
    before = json.loads(page.out)["next"]
    following = json.loads(online.run("history", "--limit", "2", "--before", before, "-o", "json").out)
    assert not {one["id"] for one in json.loads(page.out)["writes"]} & {one["id"] for one in following["writes"]}
    assert "there is more; it goes on with --before" in online.run("history", "--limit", "2").err
    web = json.loads(online.run("history", "--project", "Web", "-o", "json").out)["writes"]
    assert {one["place"]["project"] for one in web} == {"Web"}
    stranger = online.run("history", "--actor", "stranger")
    assert (stranger.code, stranger.out) == (0, "")
    assert "nothing is on record for this since" in stranger.err


def test_damage_is_named_and_what_can_be_read_is_shown(online: Desk) -> None:
    assert online.run("apply", "--yes").code == 0
    with closing(sqlite3.connect(online.folder / "state.db")) as file:
        file.execute("UPDATE record SET entry = 'x' WHERE number = 3 AND chain LIKE 'devops/%'")
        file.commit()

    ended = online.run("history")

    assert ended.code == 1
    assert "is edited or damaged" in ended.out + ended.err
    assert "verified" in ended.out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--since", "yesterday"), "'yesterday' is no time back"),
        (("--limit", "0"), "--limit"),
        (("--before", "x"), "must be `next` of an earlier answer"),
        (("-pool",), "No such option"),
        (("a_b",), "a pool's name is letters"),
        (("pool-1", "pool-2"), "give one pool; or show, verify, seal or import before it"),
        (("show",), "give the RUN, as `history` shows it"),
        (("show", "x"), "is not the id of a run"),
        (("show", "20261120T120000Z-000000000000"), "none of its writes is on record"),
        (("import",), "give the FILE that `onboard` wrote"),
        (("import", "nothing.record"), "nothing.record: there is no such file"),
        (("import", "text.record"), "text.record"),
        (("seal", "devops/x"), "--reason"),
        (("verify", "devops/nowhere"), "there is no such chain"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(desk: Desk, arguments: tuple[str, ...], says: str) -> None:
    desk.environment["RECONCILER_STATE"] = str(desk.folder / "state.db")
    (desk.folder / "text.record").write_text(
        "not a database, but long enough to look like one to a careless reader" * 9
    )
    with closing(sqlite3.connect(desk.folder / "state.db")):
        pass

    ended = desk.run("history", *arguments)

    assert ended.code == 1
    assert says in " ".join((ended.out + ended.err).replace("│", " ").split())
    assert "Traceback" not in ended.err


def test_no_state_is_said(desk: Desk) -> None:
    ended = desk.run("history", RECONCILER_STATE=str(desk.folder / "none.db"))

    assert ended.code == 1
    assert "does not exist, so nothing is on record" in ended.err
    assert not (desk.folder / "none.db").exists()


@pytest.fixture
def admin(desk: Desk) -> Iterator[tuple[Desk, Running]]:
    """An administrator of an organization who has no deployment yet."""
    with start(ESTATE, switches={"devops.project-visibility": "members"}) as world:
        desk.environment |= {
            "RECONCILER_ALLOW_LOOPBACK": "1",
            "RECONCILER_CREDENTIAL": "static",
            "RECONCILER_ARM_ENDPOINT": world.arm,
            "RECONCILER_DEVOPS_ENDPOINT": world.devops,
            "RECONCILER_ARM_TOKEN": "canary-arm",
            "RECONCILER_DEVOPS_TOKEN": "devops-root",
        }
        yield desk, world


ONBOARD = ("onboard", "prime", "--identity", ROBOT, "--mode", "enforce")


def test_onboarding_before_a_deployment_is_recorded_and_imported_once(admin: tuple[Desk, Running]) -> None:
    desk, world = admin
    assert desk.run(*ONBOARD).code == 2
    assert not (desk.folder / "onboarding.record").exists(), "a plan leaves no file"

    applied = desk.run(*ONBOARD, "--apply")
    assert applied.code == 0, applied.err
    assert "mdp-reconciler history import onboarding.record" in applied.err
    written = world.do.count(writes=True)
    assert written >= 6

    state = {"RECONCILER_STATE": str(desk.folder / "state.db")}
    imported = desk.run("history", "import", "onboarding.record", **state)
    assert imported.code == 0, imported.err
    again = desk.run("history", "import", "onboarding.record", **state)
    assert (again.code, "nothing is new" in again.err) == (0, True)

    assert desk.run("history", "verify", **state).code == 0
    document = json.loads(desk.run("history", "-o", "json", **state).out)
    assert len(document["writes"]) == 6
    assert {one["trigger"] for one in document["writes"]} == {"onboard"}
    assert {one["proof"]["outcome"] for one in document["writes"]} == {"verified"}
    assert "canary" not in json.dumps(document)


def test_an_edited_onboarding_record_is_refused_whole(admin: tuple[Desk, Running]) -> None:
    desk, _ = admin
    assert desk.run(*ONBOARD, "--apply", "--record", "mine.record").code == 0
    with closing(sqlite3.connect(desk.folder / "mine.record")) as file:
        file.execute("UPDATE record SET entry = replace(CAST(entry AS TEXT), 'verified', 'believed')")
        file.commit()
    state = {"RECONCILER_STATE": str(desk.folder / "state.db")}

    refused = desk.run("history", "import", "mine.record", **state)

    assert refused.code == 1
    assert "nothing is imported" in refused.err
    assert not (desk.folder / "state.db").exists()


def test_no_grant_goes_out_where_the_file_cannot_be_written(admin: tuple[Desk, Running]) -> None:
    desk, world = admin
    (desk.folder / "taken").write_text("a file where a folder would have to be")

    ended = desk.run(*ONBOARD, "--apply", "--record", "taken/onboarding.record", "--timeout", "1")

    assert ended.code == 1
    assert world.do.count(writes=True) == 0
    assert "nothing is written without its entry in the record of writes" in ended.out + ended.err
