"""What a process holds and what it has stored, and how both grow: least squares over the second half of samples."""

from __future__ import annotations

import gc
import io
import sqlite3
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from statistics import linear_regression, mean

from azure.storage.blob import BlobServiceClient

from benchmarks.measure import Row
from reconciler.adapters.azure_storage.account import Names
from reconciler.adapters.azure_storage.record import FOLDER
from reconciler.service.triggers import TriggerContext

PER = 1000
"""A slope is the growth in so many runs."""
NOISE = 1.0
"""Per cent of its level that what rests on an allocator, on texts of several lengths or on months may seem to grow."""
ENDING = 30.0
"""Seconds at most until threads that were told to end have done so."""

Sample = Mapping[str, float]


class Written(io.StringIO):
    """A stream for log lines that counts them, and keeps none."""

    def __init__(self) -> None:
        super().__init__()
        self.lines = self.bytes = 0

    def write(self, text: str) -> int:
        """Count it."""
        self.lines += text.count("\n")
        self.bytes += len(text.encode())
        return len(text)


def of_process(threads: int) -> dict[str, float]:
    """What this process holds. `threads`: how many stay between runs; others that are about to end are waited for."""
    end = time.monotonic() + ENDING
    while threading.active_count() > threads and time.monotonic() < end:
        time.sleep(0.01)
    gc.collect()
    return {
        "resident memory": resident(),
        "blocks of Python's memory": sys.getallocatedblocks(),
        "objects": len(gc.get_objects()),
        "threads": threading.active_count(),
        "descriptors": descriptors(),
    }


def resident() -> float:
    """MiB of this process that are in memory; 0 where the system does not tell."""
    status = Path("/proc/self/status")
    return int(status.read_text().partition("VmRSS:")[2].split()[0]) / 1024 if status.exists() else 0.0


def descriptors() -> int:
    """Open ones of this process; 0 where the system does not tell."""
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0


def of_file(path: str | Path) -> dict[str, float]:
    """What a state file holds."""
    with closing(sqlite3.connect(path)) as connection:

        def one(sql: str) -> float:
            return float(connection.execute(sql).fetchone()[0] or 0)

        log = Path(f"{path}-wal")
        return {
            "documents": one("SELECT count(*) FROM documents") + one("SELECT count(*) FROM safety"),
            "bytes of documents": one("SELECT sum(length(body)) FROM documents"),
            "entries of the record": one("SELECT count(*) FROM record"),
            "messages": one("SELECT count(*) FROM messages"),
            "leases": one("SELECT count(*) FROM leases"),
            "pages of the file": one("PRAGMA page_count"),
            "bytes of its write-ahead log": log.stat().st_size if log.exists() else 0,
        }


def of_account(context: TriggerContext, STATE: str, CONTAINER: str) -> dict[str, float]:  # noqa: N803 - names of settings
    """What a deployment holds whose documents are in these containers of a storage account."""
    with BlobServiceClient.from_connection_string(STATE) as account:
        blobs = [
            one
            for name in (CONTAINER, Names(container=CONTAINER).safety)
            for one in account.get_container_client(name).list_blobs()
        ]
    documents = [blob for blob in blobs if not blob.name.startswith(FOLDER)]
    return {
        "documents": len(documents),
        "bytes of documents": sum(blob.size for blob in documents),
        "entries of the record": sum(1 for chain in context.record.chains() for _ in context.record.entries(chain)),
        "messages": context.outbox.events.length() + context.outbox.sweeps.length(),
        "leases": sum(blob.lease.state == "leased" for blob in blobs),
    }


def growth(samples: Sequence[Sample], what: str) -> tuple[float, float]:
    """By how much it grows in `PER` runs, over the second half of the samples, and its level there."""
    half = samples[len(samples) // 2 :]
    runs, values = [one["runs"] for one in half], [one[what] for one in half]
    slope = 0.0 if len(set(values)) == 1 else linear_regression(runs, values).slope
    return slope * PER, mean(values)


def none(title: str, samples: Sequence[Sample], what: str) -> Row:
    """A row: it does not grow at all."""
    slope, level = growth(samples, what)
    return Row(f"{title}: {what}", f"{slope:+.2f} of {level:,.0f}", "0", round(slope, 2) == 0, count=True)


def little(title: str, samples: Sequence[Sample], what: str, noise: float = NOISE) -> Row:
    """A row: it grows no more than its noise, in per cent of its level."""
    slope, level = growth(samples, what)
    share = 100 * slope / level if level else 0.0
    return Row(f"{title}: {what}", f"{share:+.2f} % of {level:,.0f}", f"≤ {noise:g} %", share <= noise, count=True)
