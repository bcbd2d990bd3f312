"""Files that a person names are read within a bound, and what cannot be read is one line."""

from __future__ import annotations

import pytest

from tests.cli.process import Desk

CONVERT = ("convert", "--subscription", "11111111-2222-3333-4444-555555555555", "--resource-group", "rg-build")


@pytest.mark.parametrize("command", [CONVERT, ("policy", "check"), ("policy", "migrate")])
@pytest.mark.parametrize(
    ("name", "said"),
    [("missing.json", "missing.json: No such file"), (".", "Is a directory"), ("/dev/zero", "is larger than 16 MiB")],
)
def test_what_cannot_be_read_is_one_line(desk: Desk, command: tuple[str, ...], name: str, said: str) -> None:
    ended = desk.run(*command, name)

    assert (ended.code, ended.out) == (1, "")
    (line,) = ended.errors
    assert said in line
