"""Pull requests, comments and statuses of both hosts: what is written, once, and where."""

from __future__ import annotations

import pytest

from reconciler.errors import NotFound, Rejected
from reconciler.ports.code_hosts import CommitState
from tests.adapters.code_hosts.host_kit import HEAD, MARK, Host


def test_a_pull_request_is_opened_once(host: Host) -> None:
    first = host.adapter.open_pull_request("other", "main", "Adopt", "Why")
    again = host.adapter.open_pull_request("other", "main", "Adopt", "Why")
    assert first == again
    assert first.number != host.number
    assert first.url.startswith("https://")
    assert len(host.server.writes()) == 1


def test_another_branch_is_another_pull_request(host: Host) -> None:
    found = host.adapter.open_pull_request("change", "main", "Change", "")
    assert found.number == host.number
    assert host.server.writes() == []


def test_a_branch_that_does_not_exist_is_rejected(host: Host) -> None:
    with pytest.raises(Rejected, match=host.kind):
        host.adapter.open_pull_request("missing", "main", "Change", "")


def test_a_text_longer_than_the_host_takes_is_cut(host: Host) -> None:
    host.adapter.open_pull_request("other", "main", "Adopt", "x" * 70_000)
    made = host.repository.pulls[-1]
    assert len(made["body"] if host.kind == "github" else made["description"]) in (65_536, 4_000)


def test_the_default_branch(host: Host) -> None:
    assert host.adapter.default_branch() == "main"


def test_a_pull_request_says_its_head_and_whether_it_is_open(host: Host) -> None:
    found = host.adapter.pull_request(host.number)
    assert (found.number, found.head, found.open) == (host.number, HEAD, True)
    host.repository.pulls[0]["state" if host.kind == "github" else "status"] = "closed"
    assert not host.adapter.pull_request(host.number).open
    with pytest.raises(NotFound):
        host.adapter.pull_request(4711)


def test_the_first_comment_is_created_and_the_next_replaces_it(host: Host) -> None:
    host.say("Looks good")
    first = host.adapter.write_comment(host.number, MARK, "one change")
    second = host.adapter.write_comment(host.number, MARK, "two changes")
    assert first == second
    assert first.startswith("https://")
    assert host.bodies() == ["Looks good", f"{MARK}\ntwo changes"]


def test_a_text_that_begins_with_its_mark_has_it_once(host: Host) -> None:
    host.adapter.write_comment(host.number, MARK, f"{MARK}\none change")
    assert host.bodies() == [f"{MARK}\none change"]


def test_a_comment_is_found_behind_two_pages_of_others(host: Host) -> None:
    for number in range(230):
        host.say(f"{number}: {MARK} in the middle is no mark")
    host.adapter.write_comment(host.number, MARK, "one change")
    for number in range(230):
        host.say(f"later {number}")
    host.adapter.write_comment(host.number, MARK, "two changes")
    assert [text for text in host.bodies() if text.startswith(MARK)] == [f"{MARK}\ntwo changes"]
    assert len(host.bodies()) == 461


def test_a_deleted_comment_is_written_anew(host: Host) -> None:
    host.adapter.write_comment(host.number, MARK, "one change")
    if host.kind == "github":
        host.delete(host.repository.comments[-1])
    else:
        host.delete(host.repository.threads[host.number][-1])
    host.adapter.write_comment(host.number, MARK, "two changes")
    assert host.bodies() == [f"{MARK}\ntwo changes"]


def test_a_comment_of_a_stranger_with_the_mark_is_never_ours(host: Host) -> None:
    """Azure Repos lets only the author edit. On GitHub every person with the right to write edits every comment, as does its author."""
    host.say(f"{MARK}\nnothing to see here", author="mallory")
    host.adapter.write_comment(host.number, MARK, "one change")
    host.adapter.write_comment(host.number, MARK, "two changes")
    assert host.bodies() == [f"{MARK}\nnothing to see here", f"{MARK}\ntwo changes"]


@pytest.mark.parametrize("association", ["OWNER", "MEMBER", "COLLABORATOR"])
def test_a_report_that_another_token_wrote_is_replaced_on_github(host: Host, association: str) -> None:
    if host.kind != "github":
        return
    host.server.say(host.repository, host.number, f"{MARK}\none change", "build-account", association=association)
    host.adapter.write_comment(host.number, MARK, "two changes")
    assert host.bodies() == [f"{MARK}\ntwo changes"]


def test_a_comment_longer_than_the_host_takes_is_cut(host: Host) -> None:
    host.adapter.write_comment(host.number, MARK, "x" * 200_000)
    assert len(host.bodies()[-1]) == host.adapter.longest_comment


def test_statuses_follow_each_other(host: Host) -> None:
    host.adapter.set_status(HEAD, "reconciler/plan", CommitState.PENDING, "planning")
    host.adapter.set_status(HEAD, "reconciler/plan", CommitState.SUCCESS, "in sync", "https://example.com/run")
    success = "success" if host.kind == "github" else "succeeded"
    assert host.statuses() == [("pending", "planning"), (success, "in sync")]
    host.adapter.set_status(HEAD, "other", CommitState.PENDING, "x", "https://example.com/other")
    host.adapter.set_status(HEAD, "reconciler/prod", CommitState.PENDING, "x", "https://example.com/prod")
    assert host.adapter.status_url(HEAD, "reconciler/plan") == "https://example.com/run"
    assert host.adapter.status_url(HEAD, "reconciler/dev") == ""


def test_a_long_description_of_a_status_is_cut(host: Host) -> None:
    host.adapter.set_status(HEAD, "reconciler/plan", CommitState.FAILURE, "x" * 500)
    assert host.statuses()[0][1].startswith("x" * 139)


def test_a_status_of_an_unknown_commit_is_an_error(host: Host) -> None:
    with pytest.raises((Rejected, NotFound), match="cccc"):
        host.adapter.set_status("c" * 39 + "d", "reconciler/plan", CommitState.SUCCESS, "in sync")
