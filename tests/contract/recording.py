"""What tests of the record share, and what its racing processes run."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.storage.blob import BlobServiceClient

from reconciler.documents import moment
from tests.contract.families import Family, LocalFamily, StorageFamily

NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)
CHAIN = "devops/fabrikam"


def body(name: str, at: datetime = NOON, **fields: Any) -> dict[str, Any]:
    return {"kind": "intent", "id": name, "at": moment(at), **fields}


def append_many(family: Family, writer: int, count: int) -> None:
    """One process's part of a race: so many entries, one after the other."""
    with closing(family.worker()) as worker:
        for number in range(count):
            worker.record.append(CHAIN, [body(f"{writer}.{number}", NOON + timedelta(seconds=number))])


def ids(entries: Sequence[Any]) -> list[str]:
    return [one["id"] for one in entries if one["kind"] not in ("checkpoint", "closed")]


def overwrite(family: Family, chain: str, old: bytes, new: bytes) -> None:
    """Change stored bytes behind the adapter's back."""
    if isinstance(family, LocalFamily):
        with closing(family.connect()) as connection:
            rows = connection.execute("SELECT number, entry FROM record WHERE chain = ?", (chain,)).fetchall()
            for number, content in rows:
                changed = bytes(content).replace(old, new)
                connection.execute(
                    "UPDATE record SET entry = ? WHERE chain = ? AND number = ?", (changed, chain, number)
                )
            connection.commit()
        return
    assert isinstance(family, StorageFamily)
    with BlobServiceClient.from_connection_string(family.connection) as service:
        container = service.get_container_client(family.record_container)
        for found in list(container.list_blobs(name_starts_with=f"record/{chain}/")):
            blob = container.get_blob_client(found.name)
            content = blob.download_blob().readall().replace(old, new)
            blob.create_append_blob()
            if content:
                blob.append_block(content)


def remove_line(family: Family, chain: str, holding: bytes) -> None:
    """Take out the entry that holds these bytes, behind the adapter's back."""
    if isinstance(family, LocalFamily):
        with closing(family.connect()) as connection:
            sql = "DELETE FROM record WHERE chain = ? AND instr(CAST(entry AS TEXT), ?)"
            connection.execute(sql, (chain, holding.decode()))
            connection.commit()
        return
    assert isinstance(family, StorageFamily)
    with BlobServiceClient.from_connection_string(family.connection) as service:
        container = service.get_container_client(family.record_container)
        for found in list(container.list_blobs(name_starts_with=f"record/{chain}/")):
            blob = container.get_blob_client(found.name)
            lines = blob.download_blob().readall().splitlines(keepends=True)
            blob.create_append_blob()
            blob.append_block(b"".join(line for line in lines if holding not in line))


def remove_segment(family: Family, chain: str, segment: str) -> None:
    """Delete a segment behind the adapter's back."""
    if isinstance(family, LocalFamily):
        with closing(family.connect()) as connection:
            connection.execute("DELETE FROM record WHERE chain = ? AND segment = ?", (chain, segment))
            connection.commit()
        return
    assert isinstance(family, StorageFamily)
    with BlobServiceClient.from_connection_string(family.connection) as service:
        service.get_blob_client(family.record_container, f"record/{chain}/{segment}").delete_blob()


def remove_all(family: Family, chain: str) -> None:
    """Delete a whole chain behind the adapter's back."""
    for segment in ("2026-11.0000", "2026-12.0000"):
        remove_segment(family, chain, segment)
