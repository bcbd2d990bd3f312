"""The record of writes as append blobs: one blob for each chain and month, ``record/<chain>/<month>.<number>``.

A block is added only at the position where its writer read the end, so of two writers one is refused and reads again:
the chain never forks. An append blob takes 50,000 blocks (Microsoft Learn, Append Block); a new one begins well before.
The next blob exists before the one before it is closed, so a closed blob without a successor is a deleted one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import BlobClient, ContentSettings

from reconciler.adapters.azure_storage.state import ROLE, Blobs
from reconciler.adapters.azure_storage.wire import talking
from reconciler.adapters.boundary import port
from reconciler.adapters.record_reads import back_to
from reconciler.adapters.store_limits import RECORD_DAYS, damaged_record, entry_line
from reconciler.documents import Json, JsonObject, moment
from reconciler.documents.chain import (
    CLOSED,
    ChainEnd,
    checkpoint,
    closing,
    end_of,
    entry_of,
    expired,
    linked,
    month_of,
    next_segment,
)
from reconciler.errors import NotFound, Unavailable
from reconciler.ports.write_log import LONGEST_ENTRY, WriteLog

FOLDER = "record/"
MARKERS = "record.chains/"
"""One empty blob for each chain: a chain that was deleted is found missing."""
MOST_BLOCKS = 40_000
"""Blocks of one blob; the service takes 50,000."""
WINDOW = 4 * LONGEST_ENTRY
"""Bytes that are read at once from the end of a blob."""
TRIES = 50
"""How often a writer that another one was faster than reads the end again."""
_LINES = ContentSettings(content_type="application/x-ndjson")


@dataclass(frozen=True, slots=True)
class SegmentEnd:
    """Where the next block of a chain goes."""

    segment: str
    position: int
    blocks: int
    end: ChainEnd
    following: str = ""
    """The next segment, where this one is closed."""


@port("Azure Storage", WriteLog)
class StorageWriteLog:
    """Entries as lines of append blobs (`reconciler.ports.write_log.WriteLog`)."""

    def __init__(self, blobs: Blobs, *, keep_days: int = RECORD_DAYS, most_blocks: int = MOST_BLOCKS) -> None:
        self._blobs = blobs
        self._keep_days = keep_days
        self._most_blocks = most_blocks
        self._lock = threading.Lock()
        self._known: dict[str, SegmentEnd] = {}
        """Chain → its end as it was last seen here; the service refuses a block where it is no longer the end."""

    def append(self, chain: str, bodies: Sequence[JsonObject]) -> ChainEnd:
        """Add entries in one block; a writer that was late reads the end and tries again."""
        last: SegmentEnd | None = None
        with talking(f"record {chain}", ROLE):
            for _ in range(TRIES):
                tail = self._known.get(chain) or self._tail(chain)
                if tail == last:
                    raise Unavailable(f"record {chain}: Azure Storage takes no block, and no other worker wrote there")
                last = tail
                following = next_segment(tail.segment, bodies[0], full=tail.blocks >= self._most_blocks)
                if tail.following or following:
                    self._roll(chain, tail, tail.following or following or "", str(bodies[0]["at"]))
                    continue
                end = self._add(chain, tail, bodies)
                if end is not None:
                    return end
        raise Unavailable(f"record {chain}: other workers write there all the time; {TRIES} tries were too late")

    def since(self, chain: str, moment_: datetime) -> Sequence[JsonObject]:
        """Entries of this moment and later, oldest first; blobs are read from their ends."""
        with talking(f"record {chain}", ROLE):
            segments = self._segments(chain)
            self._check_successor(chain, segments)
            lines = (
                (entry_of(line), f"a line of {segment}")
                for segment, size in reversed(segments)
                for line in self._lines_backwards(chain, segment, size)
            )
            return back_to(chain, lines, moment_)

    def entries(self, chain: str) -> Iterator[Json]:
        """All entries, oldest first."""
        for segment, _ in self._segments(chain):
            with talking(f"record {chain}", ROLE):
                content = self._blobs.blob(_name(chain, segment)).download_blob().readall()
            for line in content.splitlines():
                yield entry_of(line) or line.decode(errors="replace")

    def chains(self) -> Sequence[str]:
        """Names of all chains, sorted."""
        try:
            with talking("record", ROLE):
                return sorted(name.removeprefix(MARKERS) for name, _ in self._blobs.all(MARKERS))
        except NotFound:
            return []

    def seal(self, chain: str, reason: str, at: datetime) -> None:
        """Begin a new segment after a damaged or missing end."""
        with talking(f"record {chain}", ROLE):
            segments = self._segments(chain)
            last = segments[-1][0] if segments else ""
            following = next_segment(last, {"at": moment(at)}, full=True) or last
            readable = (entry_of(line) for name, size in reversed(segments)
                        for line in self._lines_backwards(chain, name, size))  # fmt: skip
            end = next((end for entry in readable if (end := end_of(entry)) is not None), ChainEnd())
            self._create(chain, following)
            body = {**checkpoint(last, following, moment(at)), "sealed": reason}
            self._add(chain, SegmentEnd(following, 0, 0, end), [body])

    def _add(self, chain: str, tail: SegmentEnd, bodies: Sequence[JsonObject]) -> ChainEnd | None:
        """Add a block where the end still is what was read; None where another writer was faster."""
        entries, end = linked(bodies, tail.end)
        block = b"".join(entry_line(chain, entry) for entry in entries)
        blob = self._blobs.blob(_name(chain, tail.segment))
        try:
            done = blob.append_block(block, appendpos_condition=tail.position)
            blocks = int(str(done["blob_committed_block_count"]))
        except HttpResponseError as problem:
            self._forget(chain)
            if problem.status_code not in (409, 412):
                raise
            # Refused: by another writer's block, or by this one, where the response to an earlier try was lost.
            if self._read(chain, tail.segment, tail.position, len(block)) != block:
                return None
            blocks = tail.blocks + 1
        with self._lock:
            self._known[chain] = SegmentEnd(tail.segment, tail.position + len(block), blocks, end)
        return end

    def _forget(self, chain: str) -> None:
        with self._lock:
            self._known.pop(chain, None)

    def _tail(self, chain: str) -> SegmentEnd:
        """The end of a chain, read from its newest blob."""
        segments = self._segments(chain)
        last = self._check_successor(chain, segments)
        if last is None:  # no blob, or one whose first line was not written
            return SegmentEnd("", 0, 0, ChainEnd())
        segment, size, entry = last
        end = end_of(entry)
        if entry is None or end is None:
            raise damaged_record(chain, f"the last line of {segment} is edited or damaged")
        blocks = self._blobs.blob(_name(chain, segment)).get_blob_properties().append_blob_committed_block_count or 0
        following = str(entry.get("next", "")) if entry.get("kind") == CLOSED else ""
        return SegmentEnd(segment, size, int(str(blocks)), end, following)

    def _check_successor(
        self, chain: str, segments: Sequence[tuple[str, int]]
    ) -> tuple[str, int, JsonObject | None] | None:
        """The newest blob that holds a line, and that line. `Rejected` where the blob that follows it was deleted."""
        names = [name for name, _ in segments]
        for segment, size in reversed(segments):
            line = next(self._lines_backwards(chain, segment, size), None)
            if line is None:
                continue
            entry = entry_of(line)
            following = str(entry.get("next", "")) if entry and entry.get("kind") == CLOSED else ""
            if following and following not in names:
                raise damaged_record(chain, f"{segment} is closed, and {following}, which follows it, is missing")
            return segment, size, entry
        # Listed once more: another writer may have begun the chain since.
        if not segments and self._blobs.blob(MARKERS + chain).exists() and not self._segments(chain):
            raise damaged_record(chain, "all of it is missing")
        return None

    def _roll(self, chain: str, tail: SegmentEnd, following: str, at: str) -> None:
        """Create the next blob, close this one, begin the next: each step is repeated by the next writer if need be."""
        self._forget(chain)
        if not tail.following:
            self._create(chain, following)
            if not tail.segment:
                self._mark(chain)
            if tail.segment and self._add(chain, tail, [closing(tail.segment, following, at)]) is None:
                return
            self._forget(chain)
            tail = self._tail(chain) if tail.segment else tail
            if tail.segment and tail.following != following:
                return
        self._add(chain, SegmentEnd(following, 0, 0, tail.end), [checkpoint(tail.segment, following, at)])
        for name in expired([name for name, _ in self._segments(chain)], month_of({"at": at}), self._keep_days):
            with suppress(ResourceNotFoundError):  # another writer was faster
                self._blobs.blob(_name(chain, name)).delete_blob()

    def _mark(self, chain: str) -> None:
        """Say that the chain exists."""
        marker = self._blobs.blob(MARKERS + chain)
        _there(marker, lambda: marker.upload_blob(b"", overwrite=False))

    def _create(self, chain: str, segment: str) -> None:
        blob = self._blobs.blob(_name(chain, segment))
        _there(blob, lambda: self._blobs.made(
            lambda: blob.create_append_blob(_LINES, match_condition=MatchConditions.IfMissing)
        ))  # fmt: skip

    def _segments(self, chain: str) -> list[tuple[str, int]]:
        """Names and sizes of a chain's blobs, oldest first."""
        prefix = f"{FOLDER}{chain}/"
        try:
            with talking(f"record {chain}", ROLE):
                return sorted((name.removeprefix(prefix), size) for name, size in self._blobs.all(prefix))
        except NotFound:
            return []

    def _read(self, chain: str, segment: str, start: int, length: int) -> bytes:
        try:
            return self._blobs.blob(_name(chain, segment)).download_blob(offset=start, length=length).readall()
        except HttpResponseError as problem:
            if problem.status_code == 416:  # noqa: PLR2004 - HTTP's own number: the blob is shorter than that
                return b""
            raise

    def _lines_backwards(self, chain: str, segment: str, size: int) -> Iterator[bytes]:
        """The lines of a blob from its end, without reading more of it than is used."""
        rest, last = b"", size
        while size:
            start = max(0, size - WINDOW)
            lines = (self._read(chain, segment, start, size - start) + rest).split(b"\n")
            if size == last and not lines[-1]:
                lines.pop()  # a blob ends with a line feed
            size, rest = start, (lines.pop(0) if start else b"")
            yield from reversed(lines)


def _there(blob: BlobClient, make: Callable[[], object]) -> None:
    """Make a blob, unless another writer was faster. Not each 409 says so: what relies on it would find nothing."""
    try:
        make()
    except (ResourceExistsError, ResourceModifiedError):
        if not blob.exists():
            raise


def _name(chain: str, segment: str) -> str:
    return f"{FOLDER}{chain}/{segment}"
