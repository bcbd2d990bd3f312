"""Where specs come from. Apart from the rest, so that `validate` needs no connection."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from reconciler.config.endpoints import remote_host
from reconciler.config.settings import PREFIX, Settings
from reconciler.documents.redaction import oneline
from reconciler.errors import Refused, SpecInvalid
from reconciler.ports.specs import Snapshot, SpecBranches, SpecSource

if TYPE_CHECKING:
    from reconciler.adapters.git.source import Location, RemoteAccess


def source(settings: Settings) -> SpecSource:
    """Where specs come from. `SpecInvalid` where that is not set or makes no sense."""
    from reconciler.adapters.git import source as git  # noqa: PLC0415 - see the package's docstring

    if not settings.specs:
        raise SpecInvalid(f"{PREFIX}SPECS: not set; name a folder or a git repository there, or by --specs")
    location = git.Location.parse(_rooted(settings.specs))
    caps = git.Caps.of(settings.git_files, settings.git_bytes)
    return git.source(location, access=_access(settings, location), caps=caps)


def before(settings: Settings, ref: str, folder: str | None = None) -> Snapshot:
    """The specs at the merge base of a ref and what `source` reads; `folder`: another one of the same repository."""
    from reconciler.adapters.git import since  # noqa: PLC0415 - see the package's docstring
    from reconciler.adapters.git import source as git  # noqa: PLC0415 - likewise

    location = git.Location.parse(_rooted(settings.specs))
    caps = git.Caps.of(settings.git_files, settings.git_bytes)
    return since.before(location, ref, prefix=folder, access=_access(settings, location), caps=caps)


def place_of(settings: Settings) -> tuple[str, str]:
    """Root of the repository (its path or URL) and the folder of the specs in it; both empty outside of git."""
    from reconciler.adapters.git import source as git  # noqa: PLC0415 - see the package's docstring
    from reconciler.adapters.git.location import place_in_repository  # noqa: PLC0415 - likewise

    location = git.Location.parse(_rooted(settings.specs))
    if location.git:
        return location.place, location.prefix
    folder = Path(location.place)
    found = place_in_repository(folder.parent if folder.is_file() else folder)
    return (str(found[0]), found[1]) if found else ("", "")


def _access(settings: Settings, location: Location) -> RemoteAccess:
    from reconciler.adapters.git import source as git  # noqa: PLC0415 - see the package's docstring

    authorization = git_authorization(settings, location.place if location.remote else "")
    return git.RemoteAccess(authorization=authorization, allow_loopback=settings.allow_loopback)


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


def require_remote(settings: Settings, branch: str = "main") -> str:
    """The URL of the remote repository of the specs; `Refused` where they come from this machine, or for a bad name."""
    from reconciler.adapters.git.location import Location, is_branch  # noqa: PLC0415 - see the package's docstring

    location = Location.parse(settings.specs or ".")
    if not location.remote:
        raise Refused(
            f"{location}: no remote repository, so no branch is pushed there; use a patch, or name its URL by --specs"
        )
    if not is_branch(branch):
        raise Refused(f"{oneline(branch)!r} is no name of a branch that git takes; use one like adopt/monday")
    return location.place


def branches(settings: Settings) -> SpecBranches:
    """The remote repository of the specs, for a branch with a commit; close it afterwards."""
    from reconciler.adapters.git import source as git  # noqa: PLC0415 - see the package's docstring
    from reconciler.adapters.git.wire import RemoteRepository  # noqa: PLC0415 - likewise

    url = require_remote(settings)
    access = git.RemoteAccess(authorization=git_authorization(settings, url), allow_loopback=settings.allow_loopback)
    caps = git.Caps.of(settings.git_files, settings.git_bytes)
    return RemoteRepository(git.Location.parse(settings.specs), caps, access)


def file_of(settings: Settings, path: str) -> Path | None:
    """The file of a spec in the working tree; None where specs are read at a commit, which no one writes to."""
    place, mark, _ = settings.specs.partition("#")
    if mark or "://" in place:
        return None
    root = Path(place)
    return root if root.is_file() else root / path


def path_in_repository(settings: Settings, path: str) -> str:
    """The path of a spec from the root of its repository; without a repository, from the working directory."""
    root, folder = place_of(settings)
    file = file_of(settings, path)
    if root or file is None:
        return f"{folder}/{path}" if folder else path
    whole, here = file.absolute(), Path.cwd()
    return (whole.relative_to(here) if whole.is_relative_to(here) else whole).as_posix().removeprefix("/")


def _rooted(specs: str) -> str:
    """A folder inside a repository, read at a ref, as the repository and the folder in it."""
    from reconciler.adapters.git.location import place_in_repository  # noqa: PLC0415 - see the package's docstring

    place, mark, behind = specs.partition("#")
    folder = Path(place)
    if not mark or "://" in place or not folder.is_dir():
        return specs
    ref, _, prefix = behind.partition(":")
    if found := place_in_repository(folder):
        root, inside = found
        return f"{root}#{ref}:{'/'.join(part for part in (inside, prefix) if part)}"
    return specs
