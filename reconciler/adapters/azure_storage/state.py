"""State documents and leases as blobs: one blob a document, the pool's lease on the blob of its document.

So the service itself refuses a write without the lease. A pool that has no document yet
gets an empty blob to carry its lease; an empty blob counts as no document.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote, unquote

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceModifiedError
from azure.storage.blob import BlobClient, BlobLeaseClient, BlobServiceClient, ContentSettings

from reconciler.adapters.azure_storage.wire import made, stated, talking
from reconciler.adapters.boundary import port
from reconciler.adapters.store_limits import RECORD, SHOWN, document_text, lease_held, lease_seconds, leased
from reconciler.documents import Json
from reconciler.documents.kinds import LARGEST, parsed
from reconciler.errors import LeaseHeld, NotFound, ReconcilerError, Unavailable
from reconciler.ports.stores import (
    Lease,
    Leases,
    StateStore,
    StoredDocument,
    UnreadableDocument,
    leased_document,
)

T = TypeVar("T")

ROLE = "Storage Blob Data Contributor"
HOLDER = "holder"
"""Metadata of a leased blob: who took the lease last."""
_JSON = ContentSettings(content_type="application/json")


class Blobs:
    """One container, made when it is missing, and the leases that this process holds in it."""

    def __init__(self, service: BlobServiceClient, container: str, *, create: bool) -> None:
        self._service = service
        self._container = service.get_container_client(container)
        self._name = container
        self._create = create
        self._lock = threading.Lock()
        self._held: dict[str, str] = {}

    @property
    def container(self) -> str:
        """Name of the container, for messages."""
        return self._name

    def held(self, name: str) -> str | None:
        """Id of the lease that was given out here for a document and not yet returned."""
        with self._lock:
            return self._held.get(name)

    def hold(self, name: str, lease: str) -> None:
        """Remember a lease."""
        with self._lock:
            self._held[name] = lease

    def drop(self, name: str, lease: str) -> None:
        """Forget a lease, unless a newer one stands in its place."""
        with self._lock:
            if self._held.get(name) == lease:
                del self._held[name]

    def blob(self, name: str) -> BlobClient:
        """Client of one blob."""
        return self._container.get_blob_client(name)

    def close(self) -> None:
        """Let the connections go."""
        self._service.close()

    def all(self, prefix: str) -> list[tuple[str, int]]:
        """Names and sizes below a prefix."""
        found: list[tuple[Any, Any]] = [
            (blob.name, blob.size) for blob in self._container.list_blobs(name_starts_with=prefix)
        ]
        if not all(isinstance(name, str) and name and isinstance(size, int) for name, size in found):
            raise Unavailable(f"state {prefix}*: an entry of Azure Storage's list has no name or no size")
        return sorted(set(found))

    def tags(self, prefix: str) -> dict[str, str]:
        """Name → ETag of what is not empty below a prefix; the record of writes, which lies behind, is not read."""
        found: dict[str, str] = {}
        for blob in self._container.list_blobs(name_starts_with=prefix):
            name, tag = stated(blob.name, f"state {prefix}*", "name"), stated(blob.etag, f"state {prefix}*", "ETag")
            if name.startswith(RECORD) and not prefix.startswith(RECORD):
                break  # lists are sorted by name: what follows are its segments, page after page
            if blob.size:
                found[name] = f'"{tag.strip(chr(34))}"'  # a list has it without quotes, a header with them
        return found

    def made(self, attempt: Callable[[], T]) -> T:
        """Do something that needs the container; where it is missing, make it and do it again."""
        return made(attempt, self._container.create_container if self._create else None)


@port("Azure Storage", Lease)
class StorageLease:
    """A lease on a blob (`reconciler.ports.stores.Lease`)."""

    def __init__(self, blobs: Blobs, key: str, lease: str, holder: str = "") -> None:
        """`holder`: written down with each renewal; a lease that ends before its first costs no request for it."""
        self._blobs = blobs
        self._key = key
        self._lease = lease
        self._holder = holder

    def renew(self) -> None:
        """Prolong it; `LeaseHeld` where it was lost."""
        try:
            with talking(leased(self._key), ROLE):
                self._client().renew()
                if self._holder:
                    blob = self._blobs.blob(leased_document(self._key))
                    blob.set_blob_metadata({HOLDER: quote(self._holder)}, lease=self._lease)
        except NotFound:
            raise LeaseHeld(f"{leased(self._key)}: the lease was lost, its blob is gone") from None

    def release(self) -> None:
        """Give it back; harmless where it was lost."""
        self._blobs.drop(leased_document(self._key), self._lease)
        try:
            with talking(leased(self._key), ROLE):
                self._client().release()
        except (LeaseHeld, NotFound):
            return

    def _client(self) -> BlobLeaseClient:
        """A fresh one: the package's own forgets its id when it is released, and a renewal may run beside that."""
        return BlobLeaseClient(self._blobs.blob(leased_document(self._key)), lease_id=self._lease)


@port("Azure Storage", Leases)
class StorageLeases:
    """Leases on blobs (`reconciler.ports.stores.Leases`)."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    def acquire(self, key: str, seconds: float, holder: str = "") -> StorageLease:
        """Take the lease, or raise `LeaseHeld`."""
        name, length = leased_document(key), int(lease_seconds(seconds))
        blob = self._blobs.blob(name)
        try:
            with talking(leased(key), ROLE):
                id_ = stated(self._taken(blob, length).id, leased(key), "lease id")
        except LeaseHeld:
            if not holder:
                raise
            raise self._held_by(blob, key, length) from None
        self._blobs.hold(name, id_)
        return StorageLease(self._blobs, key, id_, holder)

    def _taken(self, blob: BlobClient, seconds: int) -> BlobLeaseClient:
        try:
            return blob.acquire_lease(lease_duration=seconds)
        except HttpResponseError as problem:
            if problem.status_code != 404:  # noqa: PLR2004 - HTTP's own number
                raise
            self._blobs.made(lambda: _placeholder(blob))
            return blob.acquire_lease(lease_duration=seconds)

    def _held_by(self, blob: BlobClient, key: str, seconds: int) -> LeaseHeld:
        """Who has it, and until when at most, by the service's clock: from its last renewal on, where there was one."""
        dates: list[str] = []
        try:
            with talking(leased(key), ROLE):
                hook = partial(_date_of, dates)
                found = blob.get_blob_properties(raw_response_hook=hook)
                now = parsedate_to_datetime(stated(next(iter(dates), None), leased(key), "date"))
                until = found.last_modified + timedelta(seconds=seconds)
        except ReconcilerError:
            return lease_held(key, "", None)
        holder = unquote((found.metadata or {}).get(HOLDER, ""))
        if until <= now or not holder:  # it was not renewed yet
            holder, until = "another worker", now + timedelta(seconds=seconds)
        return lease_held(key, holder, until, (until - now).total_seconds())


def _date_of(dates: list[str], answer: Any) -> None:
    dates.append(answer.http_response.headers.get("Date", ""))


def _placeholder(blob: BlobClient) -> None:
    with suppress(ResourceExistsError, ResourceModifiedError):
        blob.upload_blob(b"", overwrite=False, content_settings=_JSON)


@port("Azure Storage", StateStore)
class StorageState:
    """Documents as blobs (`reconciler.ports.stores.StateStore`)."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    def load(self, name: str) -> StoredDocument | None:
        """The document, or None."""
        try:
            with talking(f"state {name}", ROLE):
                found = self._blobs.blob(name).download_blob()
                size, etag = found.size, stated(found.properties.etag, f"state {name}", "ETag")
                content = found.readall() if size <= LARGEST else found.read(SHOWN)
        except NotFound:
            return None
        if not size:
            return None
        try:
            return StoredDocument(parsed(content, size), etag)
        except ValueError as problem:
            what = f"state {name}: the blob in {self._blobs.container} {problem}; remove it"
            raise UnreadableDocument(what, content[:SHOWN], size, etag) from None

    def save(self, name: str, body: Json, etag: str | None) -> str:
        """Store and return the new tag; `LeaseHeld` where the tag or the lease is no longer true."""
        content = document_text(name, body).encode()
        try:
            with talking(f"state {name}", ROLE):
                return self._blobs.made(lambda: self._upload(name, content, etag))
        except NotFound:
            if self._blobs.held(name) or etag:
                raise LeaseHeld(f"state {name}: the blob is gone, and with it the lease") from None
            raise

    def names(self, prefix: str) -> Sequence[str]:
        """Names of all documents that begin so, sorted."""
        try:
            with talking(f"state {prefix}*", ROLE):
                found = self._blobs.all(prefix)
                return sorted(name for name, size in found if size and not name.startswith(RECORD))
        except NotFound:
            return []

    def versions(self, prefix: str) -> Mapping[str, str]:
        """Name → tag of all documents that begin so; one request for 5,000 (Microsoft Learn, List Blobs)."""
        try:
            with talking(f"state {prefix}*", ROLE):
                return self._blobs.tags(prefix)
        except NotFound:
            return {}

    def _upload(self, name: str, content: bytes, etag: str | None) -> str:
        lease = self._blobs.held(name)
        # With a lease there is a blob, if only an empty one to carry it; "must be new" then means: still that one.
        tag = etag or (self._empty(name) if lease else None)
        condition = MatchConditions.IfNotModified if tag else MatchConditions.IfMissing
        try:
            return self._put(name, content, lease=lease, etag=tag, match_condition=condition)
        except HttpResponseError as problem:
            tag = self._empty(name) if problem.status_code in (409, 412) and not etag and not lease else None
            if not tag:
                raise
        return self._put(name, content, etag=tag, match_condition=MatchConditions.IfNotModified)

    def _put(self, name: str, content: bytes, **conditions: Any) -> str:
        given = {key: value for key, value in conditions.items() if value is not None}
        done = self._blobs.blob(name).upload_blob(content, overwrite=True, content_settings=_JSON, **given)
        return stated(done["etag"], f"state {name}", "ETag")

    def _empty(self, name: str) -> str | None:
        """Tag of the blob where it is an empty one."""
        found = self._blobs.blob(name).get_blob_properties()
        return None if found.size else str(found.etag)
