"""Where the specs are: the grammar of ``RECONCILER_SPECS``.

::

    ./specs                               a plain folder, as it is on disk
    ./repository#main:pools               branch main of a local repository, the folder pools in it
    file:///srv/specs.git                 a local repository, HEAD
    https://host/org/specs.git#v1.2       a remote, at a tag
    https://host/org/specs.git#:pools     a remote, HEAD, the folder pools

Behind ``#`` stand a branch, a tag or a full commit id, and behind ``:`` a folder; either may be missing. A ``#`` makes
a local path a repository that is read at a commit and never from its work tree.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from reconciler.adapters.clock import SystemClock
from reconciler.errors import SpecInvalid
from reconciler.ports.clock import Clock

SETTING = "RECONCILER_SPECS"

_SCP = re.compile(r"[\w.-]+@[\w.-]+:")
BAD_REF = re.compile(r"[\x00-\x20\x7f~^?*\[\\]|\.\.|@\{|//|\.lock$|^[-/.]|[/.]$")
COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class RemoteAccess:
    """How a remote is reached."""

    authorization: Callable[[], str] | None = None
    """Gives the value of the Authorization header, fresh for every request."""
    allow_loopback: bool = False
    clock: Clock = field(default_factory=SystemClock)


@dataclass(frozen=True, slots=True)
class Location:
    """A place to read specs from."""

    place: str
    """A folder's path or a remote's URL, without credentials."""
    remote: bool
    git: bool
    """Whether it is read at a commit; a folder that is not git is read from disk."""
    ref: str = ""
    """Branch, tag or full commit id; empty: HEAD."""
    prefix: str = ""
    """Folder below the root, without slashes at its ends."""

    @classmethod
    def parse(cls, text: str, *, setting: str = SETTING) -> Location:
        """Read the setting; `SpecInvalid` with one clear line where it makes no sense. Looks at no disk or host."""
        place, mark, rest = text.strip().partition("#")
        ref, _, prefix = rest.partition(":")
        if not place:
            raise SpecInvalid(f"{setting}: names no folder and no git URL")
        if BAD_REF.search(ref):
            raise SpecInvalid(f"{setting}: {ref!r} is no branch, tag or commit id")
        scheme = place.partition("://")[0].lower() if "://" in place else ""
        folder = _prefix(prefix, setting)
        if scheme in ("https", "http"):
            return cls(_remote(place, setting), remote=True, git=True, ref=ref, prefix=folder)
        if scheme == "file":
            return cls(_file(place, setting), remote=False, git=True, ref=ref, prefix=folder)
        if scheme or _SCP.match(place):
            kind = scheme or "ssh"
            raise SpecInvalid(f"{setting}: {kind} is not spoken here; use https, file or a path")
        return cls(place, remote=False, git=bool(mark), ref=ref, prefix=folder)

    @property
    def pinned(self) -> bool:
        """Whether the ref is a commit id, which never moves."""
        return bool(COMMIT.fullmatch(self.ref))

    def __str__(self) -> str:
        """For messages; the place holds no credentials."""
        return f"{self.place}@{self.ref or 'HEAD'}" if self.git else self.place


def is_branch(name: str) -> bool:
    """Whether git takes it for the name of a new branch, by itself and as an argument."""
    from dulwich.refs import Ref, check_ref_format  # noqa: PLC0415 - heavy, and folders need none

    whole = name != "HEAD" and not name.startswith(("-", "refs/")) and name.isprintable()
    return whole and check_ref_format(Ref(f"refs/heads/{name}".encode()))


def place_in_repository(folder: Path) -> tuple[Path, str] | None:
    """Root of the work tree that a folder or a file lies in, and its path below that; None where git keeps it not."""
    whole = folder.resolve()
    for root in (whole, *whole.parents):
        if (root / ".git").exists():
            below = whole.relative_to(root).as_posix()
            return root, "" if below == "." else below
    return None


def _prefix(prefix: str, setting: str) -> str:
    parts = [part for part in prefix.split("/") if part not in ("", ".")]
    if ".." in parts or "\\" in prefix or not prefix.isprintable():
        raise SpecInvalid(f"{setting}: {prefix!r} is no folder below the root")
    return "/".join(parts)


def _remote(url: str, setting: str) -> str:
    """A bare user name, which the clone URLs of Azure Repos carry, is dropped; a password is refused unread."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise SpecInvalid(f"{setting}: not a URL") from None
    host = (parts.hostname or "").lower()
    if parts.password is not None:
        raise SpecInvalid(
            f"{setting}: a URL must not hold credentials; set RECONCILER_GIT_TOKEN instead ({parts.scheme}://***@{host}/…)"
        )
    if not host or not parts.path.strip("/") or parts.query:
        raise SpecInvalid(f"{setting}: {parts.scheme}://{host} names no repository, or has a query")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme.lower()}://{shown}" + (f":{port}" if port else "") + parts.path.rstrip("/")


def _file(url: str, setting: str) -> str:
    parts = urlsplit(url)
    path = unquote(parts.path)
    if parts.netloc not in ("", "localhost") or not Path(path).is_absolute():
        raise SpecInvalid(f"{setting}: a file URL needs an absolute path, as in file:///srv/specs.git")
    return path
