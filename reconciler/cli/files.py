"""Reads a file that a person names, whole and within a bound."""

from __future__ import annotations

from pathlib import Path

from reconciler.errors import NotFound, Rejected

LARGEST = 16 * 2**20
"""Bytes; a template of Azure has 4 MiB at most."""


def content_of(path: Path) -> bytes:
    """The bytes of the file. `NotFound` where it cannot be read, `Rejected` where it is larger than `LARGEST`."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise NotFound(f"{path}: {error.strerror}") from None
    if len(content) > LARGEST:
        raise Rejected(f"{path}: is larger than {LARGEST // 2**20} MiB")
    return content
