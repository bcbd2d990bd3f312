"""Event Grid's deliveries become keys; everything else is counted and dropped, and nothing of it is kept."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.service.events.pools import in_groups, pool_keys
from reconciler.service.queue.requests import Concern
from reconciler.spec.model import Mode, Spec

CANARY = "claim-canary-7f3a"
POOL = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-build/providers/Microsoft.DevOpsInfrastructure/pools/Fabrikam-Pool"


def grid(subject: str = POOL, kind: str = "Microsoft.Resources.ResourceWriteSuccess", **data: Any) -> dict[str, Any]:
    return {
        "id": "1",
        "topic": "/subscriptions/11111111-2222-3333-4444-555555555555",
        "subject": subject,
        "eventType": kind,
        "eventTime": "2026-11-22T10:00:00Z",
        "data": {"claims": {"name": CANARY}, "resourceUri": subject, **data},
        "dataVersion": "2",
        "metadataVersion": "1",
    }


def cloud(subject: str = POOL, kind: str = "Microsoft.Resources.ResourceWriteSuccess") -> dict[str, Any]:
    return {"id": "1", "source": "/s", "subject": subject, "type": kind, "specversion": "1.0", "data": {}}


KINDS = [
    (f"Microsoft.Resources.Resource{verb}{end}", ("fabrikam-pool",))
    for verb in ("Write", "Delete")
    for end in ("Success", "Failure", "Cancel")
] + [
    ("Microsoft.ResourceNotifications.Resources.CreatedOrUpdated", ("fabrikam-pool",)),
    ("microsoft.resourcenotifications.resources.deleted", ("fabrikam-pool",)),
    ("Microsoft.Resources.ResourceActionSuccess", ()),
    ("Microsoft.EventGrid.SubscriptionValidationEvent", ()),
    ("Something.Else", ()),
]


@pytest.mark.parametrize(("kind", "keys"), KINDS)
def test_writes_and_deletes_of_pools_are_followed_and_nothing_else(kind: str, keys: tuple[str, ...]) -> None:
    assert pool_keys(json.dumps([grid(kind=kind)])).keys == keys
    assert pool_keys(json.dumps(cloud(kind=kind))).keys == keys


SUBJECTS = [
    ("the casing of ids is not stable", POOL.upper(), ("fabrikam-pool",)),
    ("a trailing slash says nothing", POOL + "/", ("fabrikam-pool",)),
    ("the tags of a pool are the pool's", POOL + "/providers/Microsoft.Resources/tags/default", ("fabrikam-pool",)),
    ("another extension is none of ours", POOL + "/providers/Microsoft.Authorization/locks/keep", ()),
    ("a machine of a pool is no pool", POOL + "/resources/vm1", ()),
    ("another provider is none of ours", POOL.replace("DevOpsInfrastructure", "DevCenter"), ()),
    ("a name that no pool can have", POOL + "%0a", ()),
    ("nothing", "", ()),
]


@pytest.mark.parametrize(("reason", "subject", "keys"), SUBJECTS)
def test_a_pool_is_known_by_its_resource_id(reason: str, subject: str, keys: tuple[str, ...]) -> None:
    assert pool_keys(json.dumps(grid(subject))).keys == keys, reason


GROUP = POOL.partition("/providers/")[0]
GROUPS = "Microsoft.Resources/subscriptions/resourceGroups"
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
SPECS = [
    Spec(name, SUBSCRIPTION, group, Mode.ENFORCE, {})
    for name, group in (("one", "rg-build"), ("two", "RG-BUILD"), ("elsewhere", "rg-build-2"))
]
OF_GROUPS = [
    ("ResourceDeleteSuccess", f"{GROUPS}/delete", GROUP, ("one", "two")),
    ("ResourceDeleteFailure", f"{GROUPS}/DELETE", GROUP.upper() + "/", ("one", "two")),
    ("ResourceActionSuccess", f"{GROUPS}/moveResources/action", GROUP, ("one", "two")),
    ("ResourceActionSuccess", f"{GROUPS}/moveResources/action", GROUP + "-2", ("elsewhere",)),
    ("ResourceActionSuccess", f"{GROUPS}/moveResources/action", GROUP + "-3", ()),
    ("ResourceActionSuccess", f"{GROUPS}/validateMoveResources/action", GROUP, ()),
    ("ResourceWriteSuccess", f"{GROUPS}/write", GROUP, ()),
    ("ResourceWriteSuccess", f"{GROUPS}/delete", GROUP, ()),
    ("ResourceDeleteSuccess", f"{GROUPS}/delete", "/subscriptions/11111111-2222-3333-4444-555555555555", ()),
]


@pytest.mark.parametrize(("kind", "operation", "subject", "keys"), OF_GROUPS)
def test_a_group_that_is_deleted_or_moved_stands_for_its_pools(
    kind: str, operation: str, subject: str, keys: tuple[str, ...]
) -> None:
    found = in_groups(
        pool_keys(json.dumps([grid(subject, f"Microsoft.Resources.{kind}", operationName=operation)])), SPECS
    )

    assert found.keys == keys
    assert bool(found.dropped) is not bool(keys)


@pytest.mark.parametrize("event", [grid(), {**cloud(), "time": "2026-11-22T11:00:00+01:00"}])
def test_an_event_is_about_what_arm_says_of_the_pool_and_carries_its_own_time(event: dict[str, Any]) -> None:
    at = datetime(2026, 11, 22, 10, tzinfo=UTC)

    (found,) = pool_keys(json.dumps(event)).concerns
    assert found == Concern("fabrikam-pool", "fabrikam-pool", frozenset({"arm?pool=fabrikam-pool"}), at)


def test_the_id_is_found_where_resource_notifications_put_it() -> None:
    event = cloud(subject="", kind="Microsoft.ResourceNotifications.Resources.CreatedOrUpdated")
    event["data"] = {"resourceInfo": {"id": POOL, "properties": {"x": 1}}}

    assert pool_keys(json.dumps(event)).keys == ("fabrikam-pool",)


def test_plain_text_base64_bytes_and_batches_read_the_same() -> None:
    text = json.dumps([grid(), grid(POOL + "-2"), grid()])
    encoded = base64.b64encode(text.encode()).decode()

    for body in (text, text.encode(), encoded, encoded.encode()):
        assert pool_keys(body).keys == ("fabrikam-pool", "fabrikam-pool-2")


def test_data_may_come_as_text_or_base64() -> None:
    event = cloud(subject="")
    event["data"] = json.dumps({"resourceUri": POOL})

    assert pool_keys(json.dumps(event)).keys == ("fabrikam-pool",)

    del event["data"]
    event["data_base64"] = base64.b64encode(json.dumps({"resourceUri": POOL}).encode()).decode()

    assert pool_keys(json.dumps(event)).keys == ("fabrikam-pool",)


BAD = [
    ("", "not JSON"),
    ("{", "not JSON"),
    ("null", "not JSON"),
    ("[" * 100_000, "not JSON"),
    ("[1]", "no event"),
    ('{"id": 1}', "no event"),
    ("x" * 1_048_577, "1048577 characters"),
]


@pytest.mark.parametrize(("body", "reason"), BAD)
def test_what_cannot_be_read_is_counted_with_its_reason(body: str, reason: str) -> None:
    keys = pool_keys(body)

    assert keys.keys == ()
    assert [text for text in keys.dropped if reason in text], keys.dropped


def test_nothing_of_an_event_is_kept_but_names() -> None:
    keys = pool_keys(json.dumps([grid(), grid("/subscriptions/x")]))

    assert CANARY not in repr(keys)


@given(st.text() | st.binary())
def test_no_document_makes_it_fail(body: str | bytes) -> None:
    assert pool_keys(body).keys == ()


_KEYS = st.from_regex(r"x[a-zA-Z]{1,8}", fullmatch=True)
_MORE = st.dictionaries(_KEYS, st.none() | st.integers() | st.text(max_size=5) | st.lists(st.integers(), max_size=2))


@given(st.lists(st.sampled_from(["pool", "other", "nothing"]), max_size=6), _MORE)
def test_every_item_is_a_key_or_counted_whatever_it_has_beside_it(kinds: list[str], more: dict[str, Any]) -> None:
    """Newer versions of the schemas add fields; none of them makes an event another one, or unseen."""
    made = {"pool": grid(**more) | more, "other": grid(kind="Something.Else") | more, "nothing": more}
    items = [made[kind] for kind in kinds]

    found = pool_keys(json.dumps(items))

    assert bool(found.keys) is ("pool" in kinds)
    assert sum(found.dropped.values()) == len([kind for kind in kinds if kind != "pool"])
