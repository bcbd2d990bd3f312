"""Whose calls audit entries are about."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.config.agent import deployment_of, user_agent
from reconciler.service.events.operators import others
from reconciler.survey.names import RememberedNames


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (user_agent("dev"), "dev"),
        (user_agent("a.b_c-1"), "a.b_c-1"),
        (user_agent(""), ""),
        (f"{user_agent('dev')} azsdk/1.0", "dev"),
        ("Mozilla/5.0", ""),
        ("mdp-reconciler (deployment )", ""),
        ("mdp-reconciler (deployment <b>)", ""),
        ("mdp-reconciler (deployment " + "x" * 64 + ")", ""),
    ],
)
def test_a_user_agent_names_a_deployment_or_none(agent: str, name: str) -> None:
    assert deployment_of(agent) == name


@pytest.mark.parametrize("entry", [None, 7, "x", [], {}, {"userAgent": None}, {"userAgent": ["mdp-reconciler"]}])
def test_entries_that_are_none_report_nobody(entry: Any) -> None:
    assert others([entry], [], lambda _: RememberedNames(), "fabrikam", "dev") == {}
