"""Where specs come from. Apart from the rest, so that `validate` needs no connection."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from reconciler.config.endpoints import remote_host
from reconciler.config.settings import PREFIX, Settings
from reconciler.errors import SpecInvalid
from reconciler.ports.specs import SpecSource


def source(settings: Settings) -> SpecSource:
    """Where specs come from. `SpecInvalid` where that is not set or makes no sense."""
    from reconciler.adapters.git import source as git  # noqa: PLC0415 - see the package's docstring

    if not settings.specs:
        raise SpecInvalid(f"{PREFIX}SPECS: not set; name a folder or a git repository there, or by --specs")
    location = git.Location.parse(_rooted(settings.specs))
    authorization = git_authorization(settings, location.place if location.remote else "")
    return git.source(
        location,
        access=git.RemoteAccess(authorization=authorization, allow_loopback=settings.allow_loopback),
        caps=git.Caps.of(settings.git_files, settings.git_bytes),
    )


def git_authorization(settings: Settings, url: str) -> Callable[[], str] | None:
    """The git token towards its host; towards Azure Repos, the credential for Azure DevOps; None otherwise."""
    from reconciler.adapters.git import source as git  # noqa: PLC0415 - see the package's docstring

    if settings.git_token and settings.git_host == remote_host(url):
        return git.basic(settings.git_token.reveal)
    ours, theirs = urlsplit(settings.devops_endpoint), urlsplit(url)
    if (ours.scheme, ours.netloc) == (theirs.scheme, theirs.netloc):
        from reconciler.bootstrap.connections import credential_of  # noqa: PLC0415 - a folder needs no connection

        return credential_of(settings).devops_header
    return None


def _rooted(specs: str) -> str:
    """A folder inside a repository, read at a ref, as the repository and the folder in it."""
    place, mark, behind = specs.partition("#")
    folder = Path(place)
    if not mark or "://" in place or not folder.is_dir():
        return specs
    ref, _, prefix = behind.partition(":")
    for root in (folder.resolve(), *folder.resolve().parents):
        if (root / ".git").exists():
            inside = folder.resolve().relative_to(root).as_posix()
            return f"{root}#{ref}:{'/'.join(part for part in (inside, prefix) if part not in ('', '.'))}"
    return specs
