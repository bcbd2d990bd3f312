"""The one table of words for people."""

from __future__ import annotations

import pytest

from reconciler.facets.registry import FACETS
from reconciler.plan.wording import change_words, facet_words, reason_words
from tests.wording import PAIRS, doubled, identifiers


@pytest.mark.parametrize("facet", [one.name for one in FACETS])
def test_every_facet_has_a_word(facet: str) -> None:
    assert facet_words(facet) == facet.replace("_", " ")


def test_a_text_that_is_no_facets_name_stays_as_it_is() -> None:
    """Or a secret in its place would not be known for one any more."""
    assert facet_words("ghp_0123456789abcdef") == "ghp_0123456789abcdef"
    assert change_words("no change") == "no change"
    assert change_words("open_access:open access:o/Web: x") == "open access o/Web: x"


def test_a_line_that_names_one_thing_twice_is_found() -> None:
    assert PAIRS["open_access"] == "open access"
    assert doubled("? open_access  o/Web: open access\n? open access") == ["? open_access  o/Web: open access"]
    assert doubled("? queues  not ready  NotReady") == ["? queues  not ready  NotReady"]
    assert identifiers("held: queue_roles") == ["held: queue_roles"]
    assert reason_words("WrittenWithoutEffect") == "written without effect"
