"""Pools in ARM through the memo: one list for several pools of a subscription, else each by its own route."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from reconciler.documents import Json
from reconciler.errors import Forbidden, Terminal, Unavailable
from reconciler.ports.azure import ArmReader
from reconciler.spec.model import Spec
from reconciler.survey.memo import Key, Memo, key_of

Document = Mapping[str, Json]


def pool(reads: ArmReader, memo: Memo, listed: Collection[str], spec: Spec) -> Document | None:
    """The raw ARM body, or None where there is no such pool; `listed`: subscriptions that are read by one list.

    A list that is known already serves a pool of a subscription that is not listed too; what was read later counts.
    """
    place = spec.pool_id.casefold()
    own, all_of_them = Key("arm pool", "", "", place), key_of("arm pools", "", "", spec.subscription)
    own_read, list_read = memo.began(own), memo.began(all_of_them)
    later = own_read is not None and (list_read is None or list_read < own_read)
    if not later and not spec.arm_api_version and (spec.subscription in listed or list_read is not None):
        known = _of_subscription(reads, memo, all_of_them)
        if (listed_one := known.get(place)) is not None:
            return listed_one
    # Missing from a list may be a right that is missing: only the pool's own route shows that it is absent.
    found: Document | None = memo.get(own, lambda: reads.pool(spec.pool_id, spec.api_version))
    return found


def of_this_name(reads: ArmReader, memo: Memo, spec: Spec) -> Sequence[Document]:
    """Pools with the spec's name at another resource id, in every subscription that the caller can see.

    A pool's name is unique in all of Azure, so there is one at most; what the caller may not read is not found.
    `Unavailable` where a list that was read after the pool's own route names it at that very place: it is not absent.
    """
    visible: Sequence[str] = memo.get(Key("subscriptions"), reads.subscriptions)
    found = []
    for subscription in sorted({*visible, spec.subscription}):
        try:
            pools = _of_subscription(reads, memo, Key("arm pools", detail=subscription))
        except Terminal:
            continue  # its lists are not ours to read, or the resource provider is not registered there
        for resource_id, document in sorted(pools.items()):
            name = resource_id.rpartition("/")[2]
            if resource_id == spec.pool_id.casefold():
                _require_older(memo, spec)
            elif name == spec.name.casefold():
                found.append(document)
    return found


def _require_older(memo: Memo, spec: Spec) -> None:
    """A list that names the pool is from before its own route said that there is none."""
    own = memo.began(Key("arm pool", detail=spec.pool_id.casefold()))
    listed = memo.began(Key("arm pools", detail=spec.subscription))
    if own is not None and listed is not None and listed > own:
        raise Unavailable(f"pool {spec.name}: ARM responds 404 (not found) and lists it; it is not taken for absent")


def known(memo: Memo, spec: Spec) -> Document:
    """The document as it was read; empty where it was not. Reads nothing."""
    listed: Mapping[str, Document] = memo.peek(Key("arm pools", detail=spec.subscription)) or {}
    key = spec.pool_id.casefold()
    return listed.get(key) or memo.peek(Key("arm pool", detail=key)) or {}


def _of_subscription(reads: ArmReader, memo: Memo, key: Key) -> Mapping[str, Document]:
    """By resource id, in lower case; empty where the caller has rights on single resource groups alone."""

    def read() -> Mapping[str, Document]:
        try:
            return {str(pool.get("id", "")).casefold(): pool for pool in reads.pools(key.detail)}
        except Forbidden:
            return {}

    found: Mapping[str, Document] = memo.get(key, read)
    return found
