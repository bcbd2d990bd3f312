"""`policy`, as a real process: a policy of the specs, the old format as the new one, checks, the schema."""

from __future__ import annotations

import json

import pytest

from tests.cli.process import POOL, Desk, Ended

FIRST = "organizations: [fabrikam-prime]\nopenAccess: false\n"


def test_init_writes_what_the_specs_use(desk: Desk) -> None:
    desk.spec()

    ended = desk.run("policy", "init", "--specs", "specs", "--to", "policy.yaml")
    checked = desk.run("policy", "check", "policy.yaml")

    assert (ended.code, ended.out, ended.err) == (0, "policy.yaml: written\n", "")
    written = (desk.folder / "policy.yaml").read_text()
    assert written.startswith("apiVersion: policy/v2\nallow:\n- pools:\n  - fabrikam-managed-pool\n")
    assert (checked.code, checked.err) == (0, "")
    assert checked.out.startswith("policy/v2, valid; digest ")


def test_a_file_that_is_there_is_kept_without_force(desk: Desk) -> None:
    desk.spec()
    (desk.folder / "policy.yaml").write_text("{}")

    kept = desk.run("policy", "init", "--specs", "specs", "--to", "policy.yaml")
    text = (desk.folder / "policy.yaml").read_text()
    forced = desk.run("policy", "init", "--specs", "specs", "--to", "policy.yaml", "--force")

    assert (kept.code, text) == (1, "{}")
    assert "policy.yaml: the file exists; --force overwrites it" in kept.err
    assert (forced.code, (desk.folder / "policy.yaml").read_text()[:10]) == (0, "apiVersion")


def test_a_spec_with_a_problem_gives_no_policy(desk: Desk) -> None:
    """It would be a policy under which that pool is stopped."""
    desk.spec()
    desk.spec(
        "broken", POOL.format(name="fabrikam-broken-pool").replace("maximumConcurrency: 2", "maximumConcurrency: x")
    )

    ended = desk.run("policy", "init", "--specs", "specs")

    assert (ended.code, ended.out) == (1, "")
    assert "a spec with a problem would be left out of the policy" in ended.err


def test_migrate_writes_the_old_format_as_the_new_one(desk: Desk) -> None:
    (desk.folder / "policy.yaml").write_text(FIRST)

    ended = desk.run("policy", "migrate", "policy.yaml")
    (desk.folder / "new.yaml").write_text(ended.out)
    again = desk.run("policy", "migrate", "new.yaml")

    assert ended.code == 0
    assert "  organizations:\n  - fabrikam-prime\n" in ended.out
    assert "openAccess" not in ended.out
    assert "comments of the old file are not carried over" in ended.err
    assert (again.code, again.out) == (0, "")
    assert "this is policy/v2 already; nothing is written" in again.err


def test_check_has_a_line_for_each_problem(desk: Desk) -> None:
    (desk.folder / "policy.yaml").write_text("apiVersion: policy/v2\nallow:\n- pools: x\n  image: []\n")
    (desk.folder / "old.yaml").write_text(FIRST)

    ended = desk.run("policy", "check", "policy.yaml")
    old = desk.run("policy", "check", "old.yaml")

    assert (ended.code, ended.out) == (1, "")
    assert ended.err.splitlines() == [
        "error: policy:3: allow[0].pools: is not a list of patterns; leave it out where nothing is allowed",
        "error: policy:4: allow[0].image: unknown field; did you mean images?",
    ]
    assert (old.code, "warning: policy: is policy/v1" in old.err) == (0, True)


def test_the_schema_is_printed(desk: Desk) -> None:
    ended = desk.run("policy", "schema")

    assert ended.code == 0
    assert json.loads(ended.out)["properties"]["apiVersion"]["const"] == "policy/v2"


@pytest.mark.parametrize(
    "arguments",
    [
        ("init", "policy.yaml"),
        ("schema", "policy.yaml"),
        ("migrate",),
        ("check",),
        ("check", "none.yaml"),
        ("migrate", "none.yaml"),
        ("rewrite",),
    ],
)
def test_what_cannot_be_meant_is_an_error(desk: Desk, arguments: tuple[str, ...]) -> None:
    ended = desk.run("policy", *arguments)

    assert (ended.code, ended.out) == (1, "")
    assert "Traceback" not in ended.err
    assert ended.err


def lines(ended: Ended) -> list[str]:
    """All but the hash, which binds the policy too."""
    return [line for line in ended.out.splitlines() if not line.startswith("  plan ")]


def test_the_plan_under_the_policy_of_the_specs_is_the_plan_without(online: Desk) -> None:
    """Over both planes; the old format is warned of, on standard error."""
    (online.folder / "old.yaml").write_text("maxRoleRemovals: 3\n")
    written = online.run("policy", "init", "--to", "policy.yaml")

    without, under, old = (
        online.run("plan", *more) for more in ((), ("--policy", "policy.yaml"), ("--policy", "old.yaml"))
    )

    assert written.code == 0, written.err
    assert (under.code, lines(under), "warning" in under.err) == (without.code, lines(without), False)
    assert (old.code, lines(old)) == (without.code, lines(without))
    assert "warning: policy: is policy/v1, in which what is not named is allowed" in old.err
