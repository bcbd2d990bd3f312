"""Rows of histories: runs of the same code add up, and what was played is not played again."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.simulation import figures


def rows(path: Path, seeds: list[int], violation: str = "") -> None:
    for seed in seeds:
        figures.append(path, figures.row(seed, 9, violation, Counter(exchanges=100, writes=2, converged=1), 0.5))


def test_runs_of_the_same_code_add_up_and_a_seed_counts_once(tmp_path: Path) -> None:
    path = tmp_path / "build" / "rows.jsonl"
    rows(path, [1, 2, 3])
    rows(path, [3, 4, 9])
    found = figures.read(path)
    assert [one["seed"] for one in found] == [1, 2, 3, 4, 9]
    table = figures.table(found, figures.code_of_run())
    assert "seeds 1 to 4, 9." in table
    assert "| 5 | 0 | 500 | 10 |" in table


def test_seeds_with_many_gaps_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    rows(path, [1, 2, 3, 5, 7, 9, 11, 13, 20])
    table = figures.table(figures.read(path), figures.code_of_run())
    assert "seeds 1 to 3, 5, 7, 9, and 3 up to 20." in table


def test_rows_of_another_code_count_apart_and_a_line_that_was_cut_off_does_not(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({**figures.row(7, 9, "", Counter(), 1.0), "code": "another"}) + "\n", encoding="utf-8")
    rows(path, [8])
    path.write_text(path.read_text(encoding="utf-8") + '{"code": "', encoding="utf-8")
    assert figures.played(path, 9) == {8}
    assert figures.played(path, 20) == set()
    assert figures.played(tmp_path / "none.jsonl", 9) == set()
    table = figures.table(figures.read(path), figures.code_of_run())
    assert "| 1 | 0 |" in table
    assert "Earlier code (1 digests): 1 histories, of which 0 failed" in table


def test_the_page_names_each_failure(tmp_path: Path) -> None:
    path, page = tmp_path / "rows.jsonl", tmp_path / "page.md"
    page.write_text(f"before\n{figures.BEGIN}\nold\n{figures.END}\nafter\n", encoding="utf-8")
    rows(path, [1])
    rows(path, [2], "lost: a | b")
    figures.write_page(figures.read(path), figures.code_of_run(), page)
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "| 2 | lost: a / b |" in text
    assert "old" not in text


def test_no_table_is_made_of_nothing() -> None:
    with pytest.raises(SystemExit, match="no history"):
        figures.table([], "code")


def test_the_code_is_the_same_for_the_same_files() -> None:
    assert figures.code() == figures.code() == figures.code_of_run()


def test_comments_docstrings_and_layout_are_not_code() -> None:
    code = 'X = 1\n"""What it is."""\n\n\ndef one(\n    two: int,  # a number\n) -> str:\n    """Do it."""\n    return "text"\n'
    plain = figures.without_texts(code)
    assert plain == figures.without_texts('X = 1\ndef one(two: int) -> str:\n    return "text"\n')
    assert plain != figures.without_texts(code.replace('"text"', '"another"'))
    assert figures.without_texts('def none() -> None:\n    """Nothing."""\n') == "def none() -> None:\n    pass"


def test_a_history_imports_nothing_of_what_the_digest_leaves_out() -> None:
    code = """
import runpy, sys
sys.argv[1:] = ["--seeds=1", "--start=3", "--quiet"]
try:
    runpy.run_module("tests.simulation", run_name="__main__")
except SystemExit as ended:
    assert not ended.code
print(*sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=figures.ROOT, capture_output=True, text=True, check=True)
    unused = tuple(Path(one).with_suffix("").as_posix().replace("/", ".") for one in figures.UNUSED)
    loaded = done.stdout.split()
    assert "reconciler.engine" in loaded
    assert [one for one in loaded if one.startswith(unused)] == []
    assert [one for one in figures.UNUSED if not (figures.ROOT / one).exists()] == []
