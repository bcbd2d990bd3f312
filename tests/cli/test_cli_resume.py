"""`resume` and `pause --field`: a slip in a name is an error that names the nearest, and changes nothing."""

from __future__ import annotations

import pytest

from tests.cli.process import Desk

POOL, RELEASE, PRIME = "fabrikam-managed-pool", "fabrikam-release-pool", "fabrikam-prime"


def paused(desk: Desk) -> str:
    return desk.run("pause").out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("fabrikam-managed-pol",), f"no pool is named 'fabrikam-managed-pol'; nearest: {POOL}"),
        ((POOL, "elsewhere"), "no pool is named 'elsewhere'; known: "),
        (("--organization", "fabrikam-prim"), f"no organization is named 'fabrikam-prim'; nearest: {PRIME}"),
        ((POOL, "--field", "rols"), "did you mean roles?"),
        ((POOL, "--field", ","), "',' is no part of a pool"),
        ((POOL, "--field", " "), "' ': names nothing"),
        ((POOL, "--field", "tags."), "'tags.': a name is missing"),
    ],
)
def test_what_is_not_known_is_not_resumed(online: Desk, arguments: tuple[str, ...], said: str) -> None:
    assert online.run("pause", POOL, "--until", "4h", "--reason", "x").code == 0
    before = paused(online)

    done = online.run("resume", *arguments)

    assert (done.code, done.out) == (1, "")
    assert said in done.err
    assert paused(online) == before


@pytest.mark.parametrize("field", [",", " ", "", "tags.", "rols"])
def test_a_field_that_names_nothing_pauses_nothing(online: Desk, field: str) -> None:
    done = online.run("pause", POOL, "--until", "4h", "--reason", "x", "--field", field)

    assert done.code == 1
    assert repr(field) in done.err
    assert paused(online) == "nothing is paused\n"


def test_a_known_pool_that_is_not_paused_is_a_line(online: Desk) -> None:
    assert online.run("pause", POOL, "--until", "4h", "--reason", "x").code == 0
    line = "was not paused here; a pause by its spec ends in the spec's file"

    pool, organization = online.run("resume", RELEASE), online.run("resume", "--organization", PRIME)

    assert (pool.code, organization.code) == (0, 0)
    assert f"pool {RELEASE}: {line}" in pool.err
    assert f"organization {PRIME}: {line}" in organization.err


def test_a_paused_pool_without_a_spec_is_resumed(online: Desk) -> None:
    assert online.run("pause", RELEASE, "--until", "4h", "--reason", "x").code == 0
    (online.folder / "specs" / f"{RELEASE}.yaml").unlink()

    assert online.run("resume", RELEASE).code == 0
    assert paused(online) == "nothing is paused\n"
