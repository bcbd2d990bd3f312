"""Caps, operators, windows and the place of the state in a policy file: what is read, and the whole words of a problem."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reconciler.plan.model import Risk
from reconciler.plan.policy import Window, load, problems

HEAD = "apiVersion: policy/v2\n"
WINDOW = "{risks: [restarts], cron: '0 22 * * 6', timeZone: UTC, length: '1.02:03:04'}"


def told(text: str) -> tuple[str, ...]:
    return problems((HEAD + text).encode())


def test_operators_and_windows_are_read_with_their_lines() -> None:
    found = load(f"{HEAD}operators:\n- a@b.com\n- c@d.com\nwindows:\n- {WINDOW}\n".encode())

    assert [(one.principal, one.line) for one in found.operators] == [("a@b.com", 3), ("c@d.com", 4)]
    (window,) = found.windows
    assert (window.risks, window.line) == ((Risk.RESTARTS,), 6)
    assert window.length == timedelta(days=1, hours=2, minutes=3, seconds=4)
    assert str(window) == "window 0 22 * * 6 UTC (policy:6)"


@pytest.mark.parametrize(
    "state", ["https://x.blob.core.windows.net", "http://127.0.0.1:10000/account", "/var/state.db"]
)
def test_a_place_of_the_state_is_a_url_or_a_file(state: str) -> None:
    assert told(f"state: {state}") == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("state: [a]", "state: is not text; write what RECONCILER_STATE says: a storage account's https:// URL, or a file"),
        ("state: 'https://x.y?sig=a'",
         "state: holds a key or a signature; write the storage account's URL alone, access comes from its roles"),
        ("windows: [{risks: restarts, cron: '0 22 * * 6', timeZone: UTC, length: '04:00:00'}]",
         "windows[0].risks: is not a list of risks: widens, narrows, restarts, destroys"),
        ("windows: [{risks: [restarts], cron: [a], timeZone: UTC, length: '04:00:00'}]",
         "windows[0].cron: is no schedule of five fields: minute, hour, day of the month, month, day of the week"),
        ("windows: [{risks: [restarts], cron: '0 22 * * 6', timeZone: UTC, length: [a]}]",
         "windows[0].length: is no time span from '00:00:01' to '7.23:59:59', as d.hh:mm:ss in quotes"),
    ],
)  # fmt: skip
def test_a_problem_says_what_to_write(text: str, expected: str) -> None:
    assert told(text) == (f"policy:2: {expected}",)


@pytest.mark.parametrize(
    "text", ["caps: !x {removals: {pool: {run: 1}}}", f"windows: !x [{WINDOW}]", "operators: !x []"]
)
def test_a_tag_of_its_own_makes_another_thing_of_a_list_or_mapping(text: str) -> None:
    (found,) = told(text)
    assert "is not a " in found


def test_each_window_is_looked_at() -> None:
    found = told("windows:\n- x\n- {}\n")

    assert found[0].startswith("policy:3: windows[0]: is not a mapping")
    assert found[1].startswith("policy:4: windows[1]: has no risks")


def test_a_first_version_knows_its_lines_and_a_flag_for_all_openings() -> None:
    found = load(b"projects: [a/*]\nopenAccess: true\n")

    assert (found.open_access, found.where("projects"), found.where("open_access")) == (
        None,
        " (policy:1)",
        " (policy:2)",
    )
    assert found.from_file
    assert load(b"openAccess: false").open_access == ()


@pytest.mark.parametrize("word", ["true", "yes", "on", "YES", "On"])
def test_a_flag_is_set_in_three_words(word: str) -> None:
    assert load(f"materialise: {word}".encode()).materialise


def test_an_unknown_name_of_a_cap_is_told_with_the_known_ones() -> None:
    (found,) = told("caps: {removals: {zzzzzzzz: {}}}")

    assert found == "policy:2: caps.removals.zzzzzzzz: unknown field; known are pool, organization, all"


def test_a_window_that_is_not_from_a_file_has_no_line() -> None:
    assert str(Window((Risk.RESTARTS,), "0 22 * * 6", "UTC", timedelta(hours=1))) == "window 0 22 * * 6 UTC"


@pytest.mark.parametrize(
    ("text", "absent"),
    [
        (b"replacePools: x", "nothing"),
        (b"armApiVersions: x", "nothing"),
        (b"projects: x", "everything"),
        (b"apiVersion: policy/v2\nallow:\n- pools: [a]\n  projects: x", "nothing"),
    ],
)
def test_a_list_that_is_none_is_told_what_its_absence_means(text: bytes, absent: str) -> None:
    (found,) = problems(text)

    assert found.endswith(f"is not a list of patterns; leave it out where {absent} is allowed")


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("allow: !x [{pools: [a]}]", 1),
        ("allow: [!x {pools: [a]}]", 1),
        ("allow: [x, y]", 2),
        ("allow: [{pools: [a], maxConcurrency: '9'}]", 1),
        ("allow: [{pools: [a], maxConcurrency: 9}]", 0),
    ],
)
def test_each_entry_is_looked_at_and_is_what_it_says(text: str, count: int) -> None:
    assert len(told(text)) == count


def test_a_second_version_is_from_a_file_too() -> None:
    assert load(f"{HEAD}allow: []".encode()).from_file


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"a: b: c", "policy:1: is not YAML: mapping values are not allowed here"),
        (b"- a", "policy:1: is not a mapping of apiVersion, allow, caps, operators, windows, state"),
    ],
)
def test_what_is_no_file_of_a_policy_is_told_in_whole_words(text: bytes, expected: str) -> None:
    assert problems(text) == (expected,)
