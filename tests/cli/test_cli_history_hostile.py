"""`history` shows what others named, and none of it controls a terminal or the pipeline that reads the output."""

from __future__ import annotations

import json

from tests.cli.process import Desk

RELEASE = "fabrikam-release-pool"
NAME = "new\n::error::it\u202e \x1b[31m##vso[task.complete].yaml"


def test_the_name_of_a_file_ends_no_line_and_is_no_command(online: Desk) -> None:
    specs = online.folder / "specs"
    (specs / f"{RELEASE}.yaml").rename(specs / NAME)
    assert online.run("apply", RELEASE).code == 0
    run = json.loads(online.run("history", RELEASE, "--output", "json").out)["writes"][0]["run"]

    for said in (online.run("history", RELEASE).out, online.run("history", "show", run).out):
        assert "new\\x0a::error::it\\u202e \\x1b[31m" in said
        assert [line for line in said.splitlines() if line.startswith("::")] == []
        assert not {"\x1b", "\u202e"} & set(said)
        assert "##vso[" not in said
