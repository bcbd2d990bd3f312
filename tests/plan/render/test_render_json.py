"""Plans as JSON: a documented form that programs may build on."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from reconciler.documents import Json
from reconciler.plan import render
from reconciler.plan.model import Plan
from reconciler.plan.sync import SyncCause
from tests.plan.render.samples import DRIFTED, EVERYTHING, IN_SYNC, OPENED, REMOVED, plans

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "plan.schema.json").read_text())


def document(*plans: Plan) -> dict[str, Json]:
    return render.plans_to_json([(plan, SyncCause.UNKNOWN) for plan in plans])


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@given(plans, st.sampled_from(SyncCause))
def test_every_plan_fits_the_documented_schema(plan: Plan, cause: SyncCause) -> None:
    """The schema forbids unknown fields, so a new one has to be documented before it can be printed."""
    Draft202012Validator(SCHEMA).validate(render.plans_to_json([(plan, cause)]))


def test_the_document_is_in_sync_only_where_every_plan_is() -> None:
    assert document(IN_SYNC, IN_SYNC)["inSync"] is True
    assert document(IN_SYNC, DRIFTED)["inSync"] is False


def test_changes_stand_in_the_order_of_application() -> None:
    changes = render.to_json(DRIFTED)["changes"]

    assert [change["id"] for change in changes] == [
        "pool:pool:fabrikam-managed-pool",
        "open_access:open access:fabrikam-tailspin/Web",
        "roles:administrator:fabrikam-prime  bob@fabrikam.com",
    ]


def test_the_hash_is_of_the_content_and_known() -> None:
    """Equal on any machine and in any release, or an approved plan could not be applied after an upgrade."""
    assert render.to_json(DRIFTED)["hash"] == "b4b88949094f3f6708740a5c2937fa60cc04cf222fa48b7dc0f326bffe9453cf"
    assert render.to_json(replace(DRIFTED, revision="other"))["hash"] == DRIFTED.hash
    assert render.to_json(replace(DRIFTED, changes=(OPENED, REMOVED)))["hash"] != DRIFTED.hash


@given(plans)
def test_the_text_is_ascii_and_reads_back_whole(plan: Plan) -> None:
    """Harmless on a terminal, and nothing is cut or cleaned: programs get what the service said."""
    whole = document(plan)
    printed = render.json_text(whole)

    assert printed.isascii()
    assert not [c for c in printed if ord(c) < ord(" ") and c != "\n"]
    assert json.loads(printed) == json.loads(json.dumps(whole))


def test_why_it_is_out_of_sync_is_a_field_of_its_own() -> None:
    assert render.to_json(DRIFTED, SyncCause.DRIFT)["outOfSync"] == "drift"
    assert render.to_json(DRIFTED)["outOfSync"] == "unknown"
    assert render.to_json(IN_SYNC, SyncCause.DRIFT)["outOfSync"] is None


def test_gaps_and_refusals_are_whole() -> None:
    whole = render.to_json(EVERYTHING)

    assert whole["gaps"][1] == {
        "facet": "roles",
        "subject": "",
        "kind": "unknown",
        "reason": "Unavailable",
        "message": "roles: fabrikam-prime answered 503",
        "retryAfter": 30.0,
        "foreseen": False,
    }
    assert whole["refusals"][0]["rule"] == "last-administrator"
