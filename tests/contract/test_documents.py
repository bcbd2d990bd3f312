"""Documents of a deployment in both families of stores: damage, versions, owners."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient

from reconciler.adapters.clock import SystemClock
from reconciler.adapters.owned.owner import Owner
from reconciler.adapters.owned.state import Damages, OwnedState
from reconciler.adapters.owned.store import OwnedStore, Whose
from reconciler.documents.kinds import DAMAGED, MARK, OWNER, SAFETY, STATE, DocumentKind, kind_of
from reconciler.errors import Forbidden, Refused, Rejected
from reconciler.ports.stores import StateStore, StoredDocument, UnreadableDocument
from reconciler.safety.documents import SafetyDocuments
from reconciler.telemetry import MemoryTelemetry
from tests.contract.families import Family, LocalFamily, StorageFamily, Stores
from tests.examples import crossed

BODIES = {
    "list": b'["a", 1, null]',
    "number": b"17",
    "null": b"null",
    "text": b'"yes"',
    "truncated": b'{"at": "2026-11-0',
    "bytes": b"\xff\xfe\x00{",
    "types": None,
    "infinite": None,
    "deep": b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "huge": b'{"x": "' + b"x" * (33 * 1024 * 1024) + b'"}',
    "version": b'{"document": {"version": 99}, "at": "2026-11-01T00:00:00Z"}',
    "mark": b'{"document": []}',
}
SOUND = {"empty": b"{}", "unmarked": b'{"further": [1]}'}
OWN = frozenset({"types", "infinite"})
"""Bodies that differ for each kind of document."""
KINDS = [kind for kind in STATE if not kind.governs]
WRONG = {"text": 17, "number": "many", "flag": "yes", "list": {"a": 1}, "object": [1]}


def name_of(kind: DocumentKind) -> str:
    return f"{kind.name}fabrikam" if kind.name.endswith("/") else kind.name


def bodies_of(kind: DocumentKind) -> dict[str, bytes]:
    """What a document of this kind may have become; the fields of the kind with another type, and with no number."""
    fields = dict(kind.fields) or {"someone": kind.values or "text"}
    made: dict[str, bytes] = {
        "types": json.dumps({name: WRONG[of] for name, of in fields.items()}).encode(),
        "infinite": json.dumps(dict.fromkeys(fields, 777)).replace("777", "1e999").encode(),
    }
    return {label: body if body is not None else made[label] for label, body in BODIES.items()}


def plant(family: Family, name: str, content: bytes, *, safety: bool = False) -> None:
    """Put bytes in the place of a document, behind the adapter's back."""
    if isinstance(family, LocalFamily):
        with closing(family.worker()) as worker:  # makes the file
            worker.state.load(name)
        with closing(family.connect()) as connection:
            table = "safety" if safety else "documents"
            sql = f"INSERT OR REPLACE INTO {table} (name, body, etag) VALUES (?, ?, 'planted')"  # noqa: S608 - one of two
            connection.execute(sql, (name, content))
            connection.commit()
        return
    assert isinstance(family, StorageFamily)
    with BlobServiceClient.from_connection_string(family.connection) as service:
        container = service.get_container_client(f"{family.name}-safety" if safety else family.name)
        if not container.exists():
            container.create_container()
        container.upload_blob(name, content, overwrite=True)


def opened(family: Family, deployment: str = "", metrics: MemoryTelemetry | None = None) -> OwnedStore:
    """The stores as a process of a deployment has them."""
    whose = Whose("container shared", deployment, "reconciler")
    return OwnedStore(family.worker(), whose, SystemClock(), metrics or MemoryTelemetry())


def played(kind: DocumentKind) -> dict[str, bytes]:
    """Each body with some kinds, and each kind with some bodies; `make soak` plays each with each."""
    chosen = {label for one, label in crossed(KINDS, BODIES, one_of=3) if one is kind} | OWN
    if kind.name == "git":
        chosen.add("huge")
    else:
        chosen.discard("huge")  # one is enough: each is 33 MB
    return {label: body for label, body in bodies_of(kind).items() if label in chosen}


@pytest.mark.soaked
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.label)
def test_a_damaged_document_counts_as_never_stored_and_is_kept_and_reported(
    family: Family, kind: DocumentKind, caplog: pytest.LogCaptureFixture
) -> None:
    name = name_of(kind)
    for label, content in played(kind).items():
        plant(family, name, content)
        metrics = MemoryTelemetry()
        caplog.clear()
        with closing(opened(family, metrics=metrics)) as stores:
            before = set(stores.state.names(DAMAGED))
            found = stores.state.load(name)
            assert found is not None, label
            kept_fields = {key: value for key, value in found.body.items() if value is not None}
            if label == "types" and not (kind.fields or kind.values):
                assert kept_fields == {"someone": WRONG["text"]}
            else:
                assert kept_fields == {}, label
                assert metrics.total("reconciler.documents.damaged") == (label not in ("infinite", "mark")), label
            if metrics.total("reconciler.documents.damaged"):
                assert metrics.total("reconciler.documents.damaged", document=kind.label) == 1, label
                assert f"state {name}: " in caplog.text, label
                (kept,) = set(stores.state.names(DAMAGED)) - before
                assert kept.startswith(f"{DAMAGED}{name}/")

            stores.state.load(name)
            assert metrics.total("reconciler.documents.damaged") <= 1, label
            etag = stores.state.save(name, {}, found.etag)
            again = stores.state.load(name)
            assert again is not None
            assert (again.body, again.etag) == ({}, etag)
            assert name in stores.state.names("")
            assert not [one for one in stores.state.names("") if one.startswith(DAMAGED)]


@pytest.mark.parametrize("label", SOUND)
@pytest.mark.parametrize("kind", [kind for kind in STATE if kind.name != OWNER], ids=lambda kind: kind.label)
def test_a_document_without_a_mark_is_adopted(family: Family, kind: DocumentKind, label: str) -> None:
    plant(family, name_of(kind), SOUND[label])
    metrics = MemoryTelemetry()
    with closing(opened(family, "dev", metrics)) as stores:
        found = stores.state.load(name_of(kind))
        assert found is not None
        stores.state.save(name_of(kind), found.body, found.etag)

    with closing(opened(family, "prod")) as other, pytest.raises(Refused, match="deployment dev, and this one is prod"):
        other.state.load(name_of(kind))


@pytest.mark.soaked
@pytest.mark.parametrize(
    ("name", "label"),
    crossed(
        ["index", "mode", "mode/pools/a", "operators", "agent-pools/a", "approvals/a"],
        [label for label in BODIES if label not in {*OWN, "huge", "mark"}],
        one_of=4,
    ),
)
def test_a_damaged_safety_document_is_an_error_and_stays(family: Family, name: str, label: str) -> None:
    content = BODIES[label]
    assert content is not None
    with closing(opened(family)) as stores:
        SafetyDocuments(stores.safety).create()
    plant(family, name, content, safety=True)
    with closing(opened(family)) as stores:
        with pytest.raises(Rejected):
            stores.safety.load(name)
        with pytest.raises(Rejected):
            SafetyDocuments(stores.safety).load(name, SafetyDocuments(stores.safety).index())
        assert list(stores.safety.names(DAMAGED)) == []
        assert list(stores.state.names(DAMAGED)) == []


@pytest.mark.parametrize("label", ["list", "null", "truncated", "bytes", "deep"])
def test_an_unreadable_document_is_told_with_its_tag_so_that_it_can_be_replaced(
    family: Family, one: Stores, label: str
) -> None:
    content = BODIES[label]
    assert content is not None
    plant(family, "git", content)
    if label in ("list", "null"):
        found = one.state.load("git")
        assert found is not None
        etag, body = found.etag, found.body
        assert body == json.loads(content)
    else:
        with pytest.raises(UnreadableDocument) as caught:
            one.state.load("git")
        etag = caught.value.etag
        assert content.startswith(caught.value.content)
        assert (caught.value.size, caught.value.reason) == (len(content), "Rejected")
    one.state.save("git", {"n": 1}, etag)
    found = one.state.load("git")
    assert found is not None
    assert found.body == {"n": 1}


def test_a_document_longer_than_any_reader_takes_is_not_stored(one: Stores) -> None:
    with pytest.raises(Rejected, match="state git: the document has"):
        one.state.save("git", {"x": "x" * (33 * 1024 * 1024)}, None)
    assert one.state.load("git") is None


def test_the_first_use_names_the_owner_and_a_second_app_of_it_shares(family: Family) -> None:
    with closing(opened(family, "dev")) as first, closing(opened(family, "dev")) as second:
        first.state.save("sweep", {"at": "2026-11-01T00:00:00Z"}, None)
        found = second.state.load("sweep")
        assert found is not None
        assert found.body == {"at": "2026-11-01T00:00:00Z"}
        assert first.ownership.refusal() is None
        assert second.ownership.name == "dev"
        assert list(first.state.names("")) == ["sweep"]
    with closing(family.worker()) as raw:
        stored = raw.state.load("sweep")
    assert stored is not None
    assert stored.body[MARK] == {"version": 1, "deployment": "dev"}


def test_another_deployment_is_refused_with_both_names_whatever_it_does(family: Family, one: Stores) -> None:
    with closing(opened(family, "dev")) as dev:
        SafetyDocuments(dev.safety).create()
        dev.state.save("sweep", {}, None)
    before = [one.state.load(name) for name in one.state.names("")]
    both = "container shared: belongs to the deployment dev, and this one is prod"
    with closing(opened(family, "prod")) as prod:
        for use in (
            lambda: prod.state.load("sweep"),
            lambda: prod.state.load("pools/none"),
            lambda: prod.state.save("git", {}, None),
            lambda: prod.state.names("pools/"),
            lambda: prod.leases.acquire("fabrikam", 60),
            lambda: prod.safety.load("index"),
            lambda: SafetyDocuments(prod.safety).create(),
            lambda: prod.record.append("devops/fabrikam", []),
            prod.record.chains,
            lambda: list(prod.record.entries("devops/fabrikam")),
            lambda: prod.record.since("devops/fabrikam", SystemClock().now()),
            lambda: prod.record.seal("devops/fabrikam", "x", SystemClock().now()),
        ):
            with pytest.raises(Refused, match=both):
                use()
        refusal = prod.ownership.refusal()
        assert refusal is not None
        assert "RECONCILER_CONTAINER" in str(refusal)
    assert [one.state.load(name) for name in one.state.names("")] == before


def test_a_name_is_given_once_to_a_store_that_had_only_the_default(family: Family) -> None:
    """A release before there were names, or a person's command, may have been here first."""
    with closing(opened(family)) as unnamed:
        unnamed.state.save("sweep", {"missed": True}, None)
        assert unnamed.ownership.name == "reconciler"
    with closing(opened(family, "dev")) as dev:
        found = dev.state.load("sweep")
        assert found is not None
        dev.state.save("sweep", found.body, found.etag)
    with closing(opened(family, "prod")) as prod, pytest.raises(Refused, match="deployment dev, and this one is prod"):
        prod.state.load("sweep")
    with closing(opened(family)) as unnamed:
        assert unnamed.ownership.name == "dev"


class WithoutRights:
    """A container in which this identity may neither read nor write the owner."""

    def __init__(self, store: StateStore, *, reads: bool) -> None:
        self._store = store
        self._reads = reads

    def load(self, name: str) -> StoredDocument | None:
        if name == OWNER and not self._reads:
            raise Forbidden("403")
        return self._store.load(name)

    def save(self, name: str, body: Any, etag: str | None) -> str:
        if name == OWNER:
            raise Forbidden("403")
        return self._store.save(name, body, etag)

    def names(self, prefix: str) -> Sequence[str]:
        return self._store.names(prefix)

    def versions(self, prefix: str) -> Mapping[str, str]:
        return self._store.versions(prefix)


@pytest.mark.parametrize("reads", [True, False])
def test_an_identity_without_rights_on_the_owner_goes_by_the_marks_of_documents(one: Stores, *, reads: bool) -> None:
    """The ingress, which writes three documents; a person with rights on the safety facts alone."""
    metrics = MemoryTelemetry()

    def state_of(deployment: str) -> OwnedState:
        store = WithoutRights(one.state, reads=reads)
        owner = Owner(lambda: store, "container shared", deployment, "reconciler")
        return OwnedState(store, owner, SystemClock(), Damages(metrics))

    dev = state_of("dev")
    etag = dev.save("git", {"revision": "a"}, None)
    dev.save("git", {"revision": "b"}, etag)
    found = state_of("dev").load("git")
    assert found is not None
    assert found.body == {"revision": "b"}
    with pytest.raises(Refused, match="state git: belongs to the deployment dev, and this one is prod"):
        state_of("prod").load("git")


def test_one_document_of_another_deployment_is_refused_by_its_own_mark(family: Family) -> None:
    """A copy, or a restored backup."""
    with closing(opened(family, "dev")) as dev:
        dev.state.save("sweep", {}, None)
        plant(family, "git", b'{"document": {"version": 1, "deployment": "prod"}, "revision": "x"}')
        with pytest.raises(Refused, match="state git: belongs to the deployment prod, and this one is dev"):
            dev.state.load("git")
        assert dev.state.load("sweep") is not None


@pytest.mark.parametrize("content", [b"{}", b"[]", b"{", b'{"deployment": 5}', b'{"document": {"version": 2}}'])
def test_where_nobody_can_say_whose_a_store_is_reading_goes_on_and_nothing_is_written(
    family: Family, content: bytes
) -> None:
    with closing(opened(family, "dev")) as dev:
        dev.state.save("sweep", {"missed": True}, None)
    plant(family, OWNER, content)
    with closing(opened(family, "dev")) as dev:
        found = dev.state.load("sweep")
        assert found is not None
        for write in (lambda: dev.state.save("sweep", {}, found.etag), lambda: dev.leases.acquire("a", 60)):
            with pytest.raises(Rejected):
                write()
        assert isinstance(dev.ownership.refusal(), Rejected)


def test_messages_say_whose_they_are_and_keep_saying_it(family: Family) -> None:
    with closing(opened(family, "dev")) as dev:
        queue = dev.named(getattr(family, "name", "work"))
        queue.put('{"keys":["a"]}')
        queue.put_all(['{"keys":["b"],"deployment":"prod"}', "plain", '["list"]'])
        texts = sorted(message.text for message in queue.take(32, 60))
    assert texts == sorted(
        ['["list"]', '{"keys":["a"],"deployment":"dev"}', '{"keys":["b"],"deployment":"prod"}', "plain"]
    )


def all_of(names: tuple[DocumentKind, ...]) -> list[str]:
    return [name_of(kind) for kind in names]


def test_what_is_in_no_row_can_neither_be_loaded_nor_saved(family: Family) -> None:
    uses: list[Any] = []
    with closing(opened(family)) as stores:
        for name in ("new/a", "pools/", "pools", "gits", DAMAGED + "git/1"):
            uses += [lambda name=name: stores.state.load(name), lambda name=name: stores.state.save(name, {}, None)]
        uses.append(lambda: stores.safety.load("git"))
        for use in uses:
            with pytest.raises(LookupError, match=r"kinds\.py"):
                use()
    assert all(kind_of(name, STATE) for name in all_of(STATE))
    assert all(kind_of(name, SAFETY) for name in all_of(SAFETY))
