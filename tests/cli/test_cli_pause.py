"""`pause` and `resume`: what they hold back, what they refuse, and who they name."""

from __future__ import annotations

import base64
import json

import pytest

from emulator import Running
from reconciler.adapters.token_claims import holder_of
from tests.cli.process import Desk

POOL, RELEASE, PRIME = "fabrikam-managed-pool", "fabrikam-release-pool", "fabrikam-prime"


def writes(cloud: Running) -> int:
    return cloud.do.count(writes=True)


def test_a_paused_pool_is_reported_and_the_others_are_written(online: Desk, cloud: Running) -> None:
    assert online.run("pause", POOL, "--until", "4h", "--reason", "incident 7").code == 0

    plan = online.run("plan", POOL)
    assert plan.code == 2
    assert f"not applied: pool {POOL} paused until " in plan.out
    applied = online.run("apply")
    assert f"not applied: pool {POOL} paused until " in applied.out
    written = writes(cloud)
    assert written > 0
    status = online.run("status", POOL)
    assert "Suspended (pending)" in status.out or "Suspended" in status.out
    assert "incident 7" in status.out
    assert online.run("resume", POOL).code == 0
    assert online.run("pause").out == "nothing is paused\n"
    assert online.run("apply").code == 0
    assert writes(cloud) > written


def test_many_are_paused_at_once_and_listed(online: Desk) -> None:
    refused = online.run("pause", "--match", "fabrikam-*", "--until", "P1D", "--reason", "freeze")
    assert refused.code == 1
    assert "add --yes" in refused.err
    assert online.run("pause").out == "nothing is paused\n"

    done = online.run("pause", "--match", "FABRIKAM-*", "--until", "P1D", "--reason", "freeze", "--yes")
    assert (done.code, f"pool {POOL}" in done.err, f"pool {RELEASE}" in done.err) == (0, True, True)
    listed = json.loads(online.run("pause", "--output", "json").out)
    assert [one["pool"] for one in listed["pauses"]] == [POOL, RELEASE]
    assert online.run("resume", "--match", "*", "--yes").code == 0
    assert online.run("pause").out == "nothing is paused\n"


def test_a_pause_of_a_spec_is_listed_with_its_line(online: Desk) -> None:
    path = online.folder / "specs" / f"{RELEASE}.yaml"
    path.write_text(path.read_text() + "pauses:\n- {fields: [roles], until: 2999-12-31, reason: audit}\n")

    assert (
        online.run("pause").out
        == f"roles of pool {RELEASE} paused until 3000-01-01T00:00:00Z ({RELEASE}.yaml): audit\n"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((POOL, "--until", "4h"), "--reason: say why"),
        ((POOL, "--until", "4h", "--reason", "x" * 501), "--reason: has 501 characters, the limit is 500"),
        ((POOL, "--until", "9999-12-31T23:00:00-05:00", "--reason", "x"), "is not a moment with its offset"),
        ((POOL, "--reason", "x"), "--until: say when it ends: a moment with its offset"),
        ((POOL, "--until", "2026-12-05T10:00", "--reason", "x"), "is not a moment with its offset"),
        ((POOL, "--until", "2020-01-01", "--reason", "x"), "is over already"),
        ((POOL, "--until", "91d", "--reason", "x"), "more than 90 days ahead"),
        ((POOL, "--until", "4h", "--reason", "x", "--field", "rols"), "did you mean roles?"),
        (("fabrikam-managed-pol", "--until", "4h", "--reason", "x"), f"nearest: {POOL}"),
        ((POOL, "--organization", PRIME, "--until", "4h", "--reason", "x"), "give POOLs, or --organization"),
        (("--organization", "a/b", "--until", "4h", "--reason", "x"), "--organization"),
        (("--organization", PRIME, "--field", "roles", "--until", "4h", "--reason", "x"), "paused as a whole"),
        (("--match", "nothing*", "--until", "4h", "--reason", "x", "--yes"), "no pool of the specs has such a name"),
        (("--until", "4h"), "name POOLs, --organization or --match PATTERN"),
    ],
)
def test_what_cannot_be_meant_is_one_line_and_stores_nothing(
    online: Desk, arguments: tuple[str, ...], said: str
) -> None:
    ended = online.run("pause", *arguments)

    assert (ended.code, ended.out) == (1, "")
    assert said in ended.err
    assert online.run("pause").out == "nothing is paused\n"


def test_an_organization_of_no_spec_is_named_and_paused(online: Desk) -> None:
    wrong = online.run("pause", "--organization", f"{PRIME}x", "--until", "4h", "--reason", "x")
    right = online.run("pause", "--organization", PRIME.upper(), "--until", "4h", "--reason", "x")

    assert (wrong.code, right.code) == (0, 0)
    assert f"warning: no spec names the organization {PRIME}x; nearest: {PRIME}" in wrong.err
    assert "no spec names" not in right.err


def jwt(**claims: str) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJ0eXAiOiJKV1QifQ.{body}.c2ln"


@pytest.mark.parametrize(
    ("token", "name"),
    [
        (jwt(upn="ann@fabrikam.com", appid="1", oid="2", scp="x"), "ann@fabrikam.com"),
        (jwt(preferred_username="ann@fabrikam.com", azp="1", oid="2"), "ann@fabrikam.com"),
        (jwt(appid="1", oid="2"), "application 1"),
        (jwt(appid="1", oid="2", scp="user"), "2"),
        (jwt(upn="a\nb" + "c" * 500), "a b" + "c" * 197),
        (jwt(), ""),
        ("opaque", ""),
        ("a.%%.b", ""),
        ("a.W10.b", ""),
        ("", ""),
    ],
)
def test_who_a_token_names(token: str, name: str) -> None:
    assert holder_of(token) == name
