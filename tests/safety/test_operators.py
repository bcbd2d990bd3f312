"""The service's own identity on record: read by runs from elsewhere, and closed where it cannot be read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.adapters.sqlite.store import Local
from reconciler.documents import Json
from reconciler.errors import NotFound, Rejected
from reconciler.safety import SafetyDocuments
from reconciler.safety.operators import DOCUMENT, record_operator, recorded_operators
from tests.contract.families import Settable

ORG, OTHER = "fabrikam-prime", "fabrikam-tailspin"


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Local]:
    made = Local(tmp_path / "state.db", Settable())
    yield made
    made.close()


@pytest.fixture
def documents(stores: Local) -> SafetyDocuments:
    return SafetyDocuments(stores.safety)


def test_nothing_is_recorded_in_a_new_store(documents: SafetyDocuments) -> None:
    assert recorded_operators(documents, ORG) == {}


def test_each_organization_has_one_and_the_newest_counts(documents: SafetyDocuments) -> None:
    record_operator(documents, ORG, "one", "Operator")
    record_operator(documents, OTHER, "two", "Operator")
    record_operator(documents, ORG, "three", "New operator")

    assert recorded_operators(documents, ORG) == {"three": "New operator"}
    assert recorded_operators(documents, OTHER) == {"two": "Operator"}


def test_what_is_recorded_already_costs_no_write(stores: Local, documents: SafetyDocuments) -> None:
    record_operator(documents, ORG, "one", "Operator")
    before = stores.safety.load(DOCUMENT)

    record_operator(documents, ORG, "one", "Operator")

    after = stores.safety.load(DOCUMENT)
    assert before is not None
    assert after is not None
    assert before.etag == after.etag


@pytest.mark.parametrize(
    "body", [[], {"organizations": []}, {"organizations": {ORG: "one"}}, {"organizations": {ORG: {"name": "x"}}}]
)
def test_a_damaged_record_is_an_error(stores: Local, documents: SafetyDocuments, body: Json) -> None:
    record_operator(documents, ORG, "one", "Operator")
    found = stores.safety.load(DOCUMENT)
    assert found is not None
    stores.safety.save(DOCUMENT, body, found.etag)

    with pytest.raises(Rejected, match="restore it"):
        recorded_operators(documents, ORG)


def test_a_record_that_was_deleted_is_missed(stores: Local, documents: SafetyDocuments) -> None:
    """The index names it, so that it is not taken for never written."""
    stores.safety.save("index", {"apiVersion": "safety/v1", "documents": [DOCUMENT]}, None)

    with pytest.raises(NotFound):
        recorded_operators(documents, ORG)
