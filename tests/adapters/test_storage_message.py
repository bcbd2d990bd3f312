"""The text of a message, as the Functions queue trigger reads it too."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.adapters.storage_message import Work, decode, encode

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_a_message_is_base64_of_json_as_the_functions_host_expects() -> None:
    assert json.loads(base64.b64decode(encode("fabrikam", TRACE))) == {"key": "fabrikam", "trace": TRACE}
    assert json.loads(base64.b64decode(encode("fabrikam"))) == {"key": "fabrikam"}


@pytest.mark.parametrize(
    "text",
    [
        encode("fabrikam"),
        '{"key": "fabrikam"}',
        '{"key": "fabrikam", "trace": 5, "more": []}',
        "fabrikam",
        " fabrikam\n",
    ],
)
def test_what_a_person_puts_by_hand_is_understood(text: str) -> None:
    """``fabrikam`` happens to be base64 as well."""
    assert decode(text) == Work("fabrikam")


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"key": 5}', '{"key": "../x"}', "a b", "[" * 10_000, "%", '"x"'])
def test_what_is_no_key_is_nothing(text: str) -> None:
    assert decode(text) is None


@given(st.from_regex(r"[a-z0-9][a-z0-9.-]{0,43}", fullmatch=True), st.text(max_size=60))
def test_what_is_put_is_what_is_read(key: str, trace: str) -> None:
    assert decode(encode(key, trace)) == Work(key, trace)


@given(st.text(max_size=200))
def test_no_text_is_too_odd_to_read(text: str) -> None:
    work = decode(text)

    assert work is None or work.key
