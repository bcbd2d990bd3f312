"""Addresses of commits and files at the two Git hosts; nothing where the specs are elsewhere."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

_AZURE = ("dev.azure.com", ".visualstudio.com")


def repository_of(specs: str) -> str:
    """The repository of the setting for specs, without branch, folder, user and password; empty for a folder."""
    parts = urlsplit(specs.partition("#")[0])
    if parts.scheme != "https" or not parts.hostname:
        return ""
    return f"https://{parts.hostname}{parts.path.removesuffix('.git').rstrip('/')}"


def commit(repository: str, revision: str) -> str:
    """Where a browser shows the commit; empty where that is not known."""
    if not _is_commit(revision) or not _known(repository):
        return ""
    return f"{repository}/commit/{quote(revision, safe='')}"


def file(repository: str, revision: str, path: str) -> str:
    """Where a browser shows a file as of the commit; `path` is within the repository."""
    if not path or not _is_commit(revision) or not _known(repository):
        return ""
    if _is_azure(repository):
        return f"{repository}?path=/{quote(path)}&version=GC{quote(revision, safe='')}"
    return f"{repository}/blob/{quote(revision, safe='')}/{quote(path)}"


def _is_commit(revision: str) -> bool:
    return re.fullmatch(r"[0-9a-f]{40,64}", revision) is not None


def _known(repository: str) -> bool:
    return _is_azure(repository) or urlsplit(repository).hostname == "github.com"


def _is_azure(repository: str) -> bool:
    host = urlsplit(repository).hostname or ""
    return "/_git/" in repository and (host == _AZURE[0] or host.endswith(_AZURE[1]))
