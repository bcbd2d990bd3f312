"""Messages as receivers read them: within their limits, and harmless whatever others named."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.engine.notice_state import NoticeLine
from reconciler.ports.notices import NoticeKind
from reconciler.service.notify import cloudevents, slack, teams, wording
from tests.examples import tries
from tests.service.notify.kit import HOSTILE, NOW, letter, notice
from tests.service.notify.receivers import slack_problem, teams_problem

PAGE = "https://func.example.net"
TEXTS = st.one_of(
    st.sampled_from(HOSTILE), st.text(max_size=40), st.lists(st.sampled_from(HOSTILE), max_size=2).map("".join)
)
LINES = st.builds(NoticeLine, TEXTS, TEXTS, TEXTS, TEXTS)
NOTICES = st.builds(
    lambda kind, pool, organization, cause, text, lines: notice(
        pool, kind, organization=organization, cause=cause, text=text, lines=tuple(lines)
    ),
    st.sampled_from(NoticeKind), TEXTS, TEXTS, TEXTS, TEXTS, st.lists(LINES, max_size=2),
)  # fmt: skip


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from texts(one)


def check_harmless(body: bytes) -> None:
    """No mention, no link but the page's, nothing invisible, no secret."""
    for text in texts(json.loads(body)):
        if text in (PAGE, teams.SCHEMA):
            continue
        assert "://" not in text
        assert not re.search(r"(?<![\w.+-])@\S|javascript:\S|mailto:\S|www\.\S", text), text
        assert not [one for one in text.replace("\n", "") if unicodedata.category(one) in ("Cc", "Cf", "Cs")]
        assert "c2VjcmV0c2VjcmV0" not in text


@settings(max_examples=tries(25))
@given(st.lists(NOTICES, min_size=1, max_size=3), st.integers(0, 2000))
def test_whatever_others_named_a_message_is_accepted_and_formats_nothing(notices: list[Any], beyond: int) -> None:
    made = letter(*notices, beyond=beyond)
    for body, problem in ((teams.body(made, PAGE), teams_problem), (slack.body(made, PAGE), slack_problem)):
        assert problem(body) == ""
        check_harmless(body)
    event = cloudevents.body(made, PAGE, "prod")
    assert len(event) <= cloudevents.LARGEST
    assert json.loads(event)["data"]["pools"] == made.pools


@given(TEXTS)
def test_a_text_of_others_is_one_harmless_line(text: str) -> None:
    check_harmless(json.dumps(wording.harmless(text)).encode())
    assert wording.harmless("ok" + text, 50).startswith("ok")
    assert 0 < len(wording.harmless(text)) <= wording.LONGEST


def test_the_largest_message_is_accepted() -> None:
    line = NoticeLine("🦊" * 300, "\u202e" * 300, "&" * 300, "<@U1>" * 60)
    made = letter(*(notice(f"{number}" + "é" * 90, text=f"{number}" + "\x1b" * 600, lines=(line,) * 7)
                    for number in range(50)), beyond=3000)  # fmt: skip
    assert teams_problem(teams.body(made, PAGE)) == ""
    assert slack_problem(slack.body(made, PAGE)) == ""
    assert len(cloudevents.body(made, PAGE, "prod")) <= cloudevents.LARGEST


def test_a_hundred_pools_are_ten_and_the_rest_is_counted() -> None:
    made = letter(*(notice(f"pool-{number:03}") for number in range(50)), beyond=50)
    shown = list(texts(json.loads(teams.body(made, PAGE))))
    assert shown.count("pool-000") == 1
    assert ": denied" in shown
    assert shown.count(": denied") == 1, "a text that all share stands once"
    assert "and 90 more" in shown
    assert PAGE in shown
    assert "An administrator has to act: 100 pools in fabrikam-prime (Forbidden)" in shown
    assert PAGE in slack.body(made, PAGE).decode()
    assert "http" not in slack.body(made, "").decode()


def test_lines_say_what_changed_and_who_did_it() -> None:
    line = NoticeLine("open access fabrikam-prime/Web", "closed", "", "probably by eve")
    assert wording.line_text(line) == "open access fabrikam-prime/Web: closed → nothing, changed probably by eve"
    assert wording.harmless("ann@fabrikam.com writes to @team") == "ann@fabrikam.com writes to @ team"


@pytest.mark.parametrize("kind", list(NoticeKind))
def test_every_kind_has_its_title_and_color(kind: NoticeKind) -> None:
    made = letter(notice(kind=kind))
    assert teams_problem(teams.body(made, "")) == ""
    assert wording.title(made).endswith(("build-pool in fabrikam-prime", "build-pool in fabrikam-prime (Forbidden)"))


def test_a_signature_is_the_one_of_the_standard() -> None:
    """The vector of the specification's own libraries (standard-webhooks, test_webhooks.py)."""
    import base64  # noqa: PLC0415

    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    at = NOW.fromtimestamp(1614265330, tz=NOW.tzinfo)
    signed = cloudevents.signed("msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', [key, b"other"], at)
    assert signed["webhook-timestamp"] == "1614265330"
    first, second = signed["webhook-signature"].split()
    assert first == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert second.startswith("v1,")
