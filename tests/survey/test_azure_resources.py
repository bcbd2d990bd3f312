"""Reads of prerequisites through the survey: each once for all pools, and no write of ours makes them stale."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.errors import Forbidden
from reconciler.survey import SharedSurvey
from tests.estate import Estate
from tests.facets.around import IDENTITY, PRINCIPAL, VAULT, Around


def survey(reads: Around | None) -> SharedSurvey:
    return SharedSurvey(replace(Estate().readers, azure_resources=reads), {})


def ask_all(one: SharedSurvey) -> None:
    around = one.azure_resources()
    assert around is not None
    around.resource(IDENTITY, "2023-01-31")
    around.resource(IDENTITY.upper(), "2023-01-31")
    around.vaults("1111")
    around.assignments(VAULT, PRINCIPAL)
    around.rights(VAULT)
    around.tenant("fabrikam-prime", "me")


def test_each_fact_is_read_once() -> None:
    reads = Around()
    shared = survey(reads)

    ask_all(shared)
    ask_all(shared)

    assert sorted(reads.asked) == ["assignments", "identity", "rights", "tenant", "vaults"]


def test_no_write_of_ours_touches_them() -> None:
    """A PUT of the pool is followed by a look at all of it; identities and vaults are as they were."""
    reads = Around()
    shared = survey(reads)

    ask_all(shared)
    shared.forget()
    shared.forget("fabrikam-prime")
    ask_all(shared)

    assert len(reads.asked) == 5


def test_a_fresh_survey_reads_anew() -> None:
    reads = Around()
    shared = survey(reads)

    ask_all(shared)
    ask_all(shared.fresh())

    assert len(reads.asked) == 10


def test_a_refused_read_is_remembered_too() -> None:
    reads = Around(refused={"vaults"})
    around = survey(reads).azure_resources()
    assert around is not None

    for _ in range(2):
        with pytest.raises(Forbidden):
            around.vaults("1111")

    assert reads.asked == ["vaults"]


def test_a_deployment_without_them_has_none() -> None:
    assert survey(None).azure_resources() is None
