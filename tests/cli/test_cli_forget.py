"""`forget`: the status of a pool that was retired on purpose, and of no other."""

from __future__ import annotations

import json

from emulator import Running
from tests.cli.process import Desk

POOL, RELEASE = "fabrikam-managed-pool", "fabrikam-release-pool"


def test_a_pool_without_a_spec_is_forgotten_and_nothing_of_it_is_removed(online: Desk, cloud: Running) -> None:
    online.run("apply")
    (path,) = [path for path in (online.folder / "specs").rglob("*.yaml") if f"name: {RELEASE}" in path.read_text()]
    path.unlink()
    cloud.do.reset_log()

    ended = online.run("forget", RELEASE.upper())

    assert (ended.code, ended.out) == (0, f"{RELEASE}   forgotten; nothing of it was removed\n"), ended.err
    assert [one["key"] for one in json.loads(online.run("status", "--output", "json").out)["pools"]] == [POOL]
    assert cloud.do.count(writes=True) == 0
    again = online.run("forget", RELEASE)
    assert (again.code, len(again.errors)) == (1, 1)
    assert "only pools with a stored run are known" in again.errors[0]


def test_a_pool_that_a_spec_names_is_kept(online: Desk) -> None:
    online.run("apply")

    ended = online.run("forget", POOL, RELEASE)

    assert ended.code == 1
    assert f"a spec names {POOL} (" in ended.errors[0]
    assert len(json.loads(online.run("status", "--output", "json").out)["pools"]) == 2


def test_a_pool_whose_file_has_errors_is_kept(online: Desk) -> None:
    online.run("apply")
    (path,) = [path for path in (online.folder / "specs").rglob("*.yaml") if f"name: {RELEASE}" in path.read_text()]
    path.write_text(path.read_text().replace("resourceGroup", "resourceGruop"))

    ended = online.run("forget", RELEASE)

    assert ended.code == 1
    assert "has errors, and may name it" in ended.errors[0]


def test_where_the_last_spec_was_deleted_its_pool_can_still_be_forgotten(online: Desk) -> None:
    online.run("apply")
    for path in (online.folder / "specs").rglob("*.yaml"):
        path.unlink()

    assert online.run("forget", POOL, RELEASE).code == 0
    assert online.run("status").err == "no run is stored yet\n"


def test_a_pool_that_was_never_read_is_an_error(online: Desk) -> None:
    ended = online.run("forget", POOL)

    assert (ended.code, ended.errors) == (
        1,
        [f"error: NotFound: forget: no pool is named '{POOL}'; known: none; only pools with a stored run are known"],
    )
