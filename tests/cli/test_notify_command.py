"""`notify`: one line for each receiver, and what could not be sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from reconciler import bootstrap
from reconciler.adapters.clock import SystemClock
from reconciler.cli.app import app
from reconciler.config.settings import Settings
from reconciler.service.notify import letters, waiting
from tests.service.notify.kit import letter, notice
from tests.service.notify.receivers import PATH, Post, receivers


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Post]:
    with receivers() as made:
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("RECONCILER_STATE", str(tmp_path / "state.db"))
        yield made


def run(*arguments: str) -> tuple[int, str]:
    found = CliRunner().invoke(app, ["notify", *arguments], standalone_mode=False)
    return found.return_value if found.exception is None else -1, found.output + str(found.exception or "")


def test_a_test_says_of_each_receiver_what_came_of_it(post: Post) -> None:
    post.answers[:] = [(202, {}), (404, {})]
    code, said = run("test")
    assert code == 1
    assert said.splitlines() == ["teams: accepted", "slack: status 404 Not Found", "webhook: accepted"]
    assert PATH not in said
    assert run("test")[0] == 0
    assert [one.problem for one in post.received[2:]] == [""] * 4


def test_without_a_receiver_there_is_nothing_to_test(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RECONCILER_STATE", str(tmp_path / "none.db"))
    assert "no receiver is set" in run("test")[1]
    assert "does not exist" in run("list")[1]
    assert not (tmp_path / "none.db").exists()
    assert "list takes no ID" in run("list", "x")[1]


def test_dead_letters_are_listed_and_sent_again(post: Post) -> None:
    store = bootstrap.store(Settings.read(), SystemClock())
    store.state.save(waiting.DOCUMENT, waiting.WaitingNotices().to_json(), None)
    assert run("list") == (0, "nothing waits, and there are no dead letters\n")
    dead = letters.Letters(dead=(letter(notice("\x1bbuild", organization="\u202eorg"), target="slack"),))
    store.state.save(letters.DOCUMENT, dead.to_json(), None)
    store.state.save(
        waiting.DOCUMENT,
        waiting.WaitingNotices((notice(),)).to_json(),
        store.state.versions("notices/")[waiting.DOCUMENT],
    )

    code, said = run("list")
    assert code == 0
    assert said.splitlines()[0] == "1 notice will be sent within a minute"
    assert said.splitlines()[1].startswith("dead   letter-1   slack   stalled   1 pool in \\u202eorg")
    assert "no dead letter has the id" in run("resend", "other")[1]
    assert "1 message on the way again" in run("resend", "letter-1")[1]
    assert store.named("work").length() == 1
    assert "waits   letter-1" in run("list")[1]
    store.close()
