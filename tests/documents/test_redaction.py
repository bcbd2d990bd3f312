"""Every kind of secret is masked, everything else stays as it is."""

from __future__ import annotations

import pytest

from reconciler.documents.redaction import MASK, oneline, redact, redacted
from tests.documents.samples import CANARY, HARMLESS, SECRET


@pytest.mark.parametrize(("text", "expected"), [pytest.param(*rest, id=what) for what, *rest in SECRET])
def test_a_secret_is_masked_and_the_rest_stays(text: str, expected: str) -> None:
    assert redact(text) == expected
    assert redact(expected) == expected, "redacting twice gives the same text"


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_text_stays_as_it_is(text: str) -> None:
    assert redact(text) == text


def test_all_samples_in_one_text_are_masked() -> None:
    text = " | ".join(text for _, text, _ in SECRET if "-----" not in text and "Cookie" not in text)

    assert CANARY not in redact(text)


def test_known_values_are_masked_wherever_and_however_they_occur() -> None:
    known = ["short", "shorter value/2", ""]

    assert redact("a short one, shorter value/2, shorter%20value%2F2", known) == f"a {MASK} one, {MASK}, {MASK}"


def test_every_text_of_a_document_is_redacted_and_its_shape_stays() -> None:
    document = {
        "url": f"https://a:{CANARY}@host",
        "list": [f"AccountKey={CANARY}", 1, None, True],
        "token": CANARY,
        "clientSecret": CANARY,
        "empty": {"password": "", "secret": {"name": "signing"}},
    }

    assert redacted(document) == {
        "url": "https://***@host",
        "list": ["AccountKey=***", 1, None, True],
        "token": MASK,
        "clientSecret": MASK,
        "empty": {"password": "", "secret": {"name": "signing"}},
    }


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\nb\t c\x00d", "a b c d"),
        ("literal canary here", "literal *** here"),
        ("x" * 500, "x" * 399 + "…"),
        (f"Bearer {CANARY}\nand more", "Bearer *** and more"),
        (404, "404"),
    ],
)
def test_a_message_of_a_service_becomes_one_short_line(text: object, line: str) -> None:
    assert oneline(text, secrets=["canary", ""]) == line


@pytest.mark.parametrize(
    "text",
    [
        "a." * 50_000,
        "://" * 30_000,
        "a:b@" * 30_000,
        "key=" * 30_000,
        "password:b@" * 30_000,
        "a-" * 60_000,
        "x-ms-token-" * 30_000,
        "https://" * 30_000,
        "https://a:" * 30_000 + "'",
        "?@" + "a://b:c/" * 30_000,
        "eyJ" * 30_000,
        "A1b" * 30_000,
        "-----BEGIN " * 9_000,
    ],
)
def test_text_made_to_be_slow_ends(text: str) -> None:
    """Quadratic backtracking would take hours here; what is checked is that the call returns."""
    assert isinstance(redact(text), str)


def test_a_url_without_a_secret_hides_no_secret_behind_it() -> None:
    """What is matched to go on behind it holds no place where a secret begins."""
    assert redact("see git://https://me:word/more@host") == "see git://***@host"
    assert redact("git://https://'host<user:word@x") == "git://https://***@x"
    assert redact("https://a?#https://b/?grant=word") == "https://a?#https://b/?grant=***"
    assert redact("x-ms-token-x-ms-token-aad: word") == "x-ms-token-x-ms-token-aad: ***"


def test_a_long_name_is_a_secret_by_its_end() -> None:
    assert redact("a" * 5_000 + "_token_2=word") == "a" * 5_000 + "_token_2=***"
