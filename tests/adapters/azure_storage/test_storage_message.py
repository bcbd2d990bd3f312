"""The text of a message, as the Functions queue trigger reads it too."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.adapters.azure_storage.queue import decode, encode


def test_a_message_is_base64_as_the_functions_host_expects() -> None:
    assert base64.b64decode(encode('{"keys": ["a"]}')).decode() == '{"keys": ["a"]}'


@pytest.mark.parametrize("text", ["fabrikam", '{"keys": ["fabrikam"]}', "%", "a b", ""])
def test_what_a_person_puts_by_hand_is_read_as_it_is(text: str) -> None:
    """``fabrikam`` happens to be base64 as well, though of no text."""
    assert decode(text) == text


@given(st.text())
def test_what_is_put_is_what_is_read(text: str) -> None:
    assert decode(encode(text)) == text
