"""Pages that a reader follows command by command: each command runs, and prints what the page shows.

Only ids, hashes, moments and ports may differ. `running.py` says how a page is read.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.running import ROOT, Shell, at_estate, pieces, plain

TUTORIAL = ROOT / "docs" / "tutorial.md"
ADOPTION = ROOT / "docs" / "how-to" / "terraform-and-bicep.md"


def follow(page: Path, shell: Shell) -> None:
    """Run the page, and compare."""
    found = pieces(page.read_text(encoding="utf-8"))
    assert len(found) > 5
    for piece in found:
        code, printed = shell.run(piece.code)
        assert code == piece.ended, f"{piece.code}{printed}{shell.errors()}"
        if piece.shown is not None:
            assert plain(printed) == plain(piece.shown), f"{piece.code}{shell.errors()}"


@pytest.mark.timeout(600)
def test_the_tutorial_runs_from_a_clone(tmp_path: Path) -> None:
    with Shell(tmp_path) as shell:
        follow(TUTORIAL, shell)


@pytest.mark.timeout(600)
def test_pools_of_another_tool_are_adopted_without_a_write_to_arm(tmp_path: Path) -> None:
    with at_estate(tmp_path) as (shell, cloud):
        before = cloud.do.state()["subscriptions"]
        follow(ADOPTION, shell)
        after = cloud.do.state()
        written = [one for one in cloud.do.requests() if one["method"] != "GET" and one["plane"] == "arm"]

    assert written == []
    assert after["subscriptions"] == before


def test_pieces_are_read_with_what_they_print_and_how_they_end() -> None:
    """This test's own eyes."""
    text = "```sh\na\n```\n\n```text\nb\n```\n\nExit code 2: x\n\n```sh\nc\n```\n\ntext\n\n```text\nd\n```\n"

    assert [(one.code, one.shown, one.ended) for one in pieces(text)] == [("a\n", "b\n", 2), ("c\n", None, 0)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("run 20261129T041220Z-7afa529d06df ends", "run RUN ends"),
        ("at 2026-11-29T04:20:22.341783Z and 2026-11-29 04:12:22 UTC", "at TIME and TIME"),
        ("until 2099-12-31, 3 agents", "until 2099-12-31, 3 agents"),
        ("/subscriptions/11111111-2222-3333-4444-555555555555", "/subscriptions/11111111-2222-3333-4444-555555555555"),
    ],
)
def test_nothing_but_ids_and_moments_is_left_out_of_the_comparison(text: str, expected: str) -> None:
    assert plain(text) == expected


def test_a_shell_keeps_its_state_and_says_how_a_piece_ended(tmp_path: Path) -> None:
    with Shell(tmp_path) as shell:
        assert shell.run("x='it''s'; cd ..\n") == (0, "\n")
        assert shell.run('echo "$x"\nfalse\n') == (1, "its\n\n")
        with pytest.raises(AssertionError, match="the shell ended"):
            shell.run("exit 3\n")
