"""Talks to a git remote over https: smart protocol, one commit deep, into memory.

All requests of the library go through one pool, which calls only the remote's own host, follows no redirect,
adds the token by itself, and judges the answer before the library sees it: a sign-in page with status 200 would
otherwise pass for a repository of the old "dumb" kind.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from typing import Any, cast
from urllib.parse import urlsplit

import urllib3
from dulwich.client import HttpGitClient
from dulwich.object_format import SHA1, SHA256
from dulwich.object_store import ObjectStoreGraphWalker
from dulwich.objects import ObjectID, ShaFile
from dulwich.refs import Ref

from reconciler.adapters import bounds, network
from reconciler.adapters.boundary import port
from reconciler.adapters.git.commit import Commit
from reconciler.adapters.git.location import Location, RemoteAccess
from reconciler.adapters.git.objects import Fetched
from reconciler.adapters.git.pack import Budget, Damaged, Pack
from reconciler.adapters.git.snapshots import Caps, Oversized
from reconciler.adapters.git.tree import read_commit, resolve
from reconciler.adapters.origin import Origin
from reconciler.adapters.retry_after import retry_after
from reconciler.documents.redaction import oneline
from reconciler.errors import Forbidden, NotFound, ReconcilerError, Refused, Rejected, Throttled, Unavailable
from reconciler.ports.specs import Snapshot, SpecBranches

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
SHA256_DIGITS = 64
_AGAIN = urllib3.Retry(1, read=0, redirect=0, status=0, other=0, respect_retry_after_header=False)
"""A connection that could not be opened is tried once more; nothing else is retried, without a pause."""

# It warns on every fetch where a server cannot leave large files out; no user can act on that.
logging.getLogger("dulwich.client").setLevel(logging.ERROR)


@port("git", SpecBranches)
class RemoteRepository:
    """A repository by its URL."""

    def __init__(self, location: Location, caps: Caps, access: RemoteAccess) -> None:
        self._location = location
        self._caps = caps
        self._where = f"git {location}"
        self._monotonic = access.clock.monotonic
        self._pool = _OneHostPool(location, caps, access)
        self._client = HttpGitClient(f"{location.place}/", pool_manager=cast("Any", self._pool), quiet=True)

    def head(self) -> bytes:
        """Object id that the ref names now: one request."""
        if self._location.pinned:
            return self._location.ref.encode()
        return self.resolve(self._location.ref, self._where)

    def resolve(self, ref: str, where: str) -> bytes:
        """Object id that a branch or a tag names now."""
        answer = self._asking(lambda: self._client.get_refs("", protocol_version=0))
        return resolve({bytes(k): v for k, v in answer.refs.items()}, "" if ref == "HEAD" else ref, where)

    @contextmanager
    def history(self, commits: Collection[ObjectID]) -> Iterator[Callable[[ObjectID], ShaFile]]:
        """A reader of these commits and all before them, without files where the server can leave them out."""
        form = SHA256 if len(next(iter(commits))) == SHA256_DIGITS else SHA1
        with closing(Pack(form, Budget(self._caps, self._where))) as pack:
            self._asking(lambda: self._fetch(pack, tuple(dict.fromkeys(commits)), {"filter_spec": b"tree:0"}))
            try:
                yield Fetched(form, pack, lambda _: pack).read
            except Damaged as problem:
                raise self._damaged(problem) from None

    def read(self, target: bytes) -> Snapshot:
        """The files at that object, fetched one commit deep.

        A server that can sends no blobs at first, and then those of the spec files.
        """
        with self._objects(target) as objects:
            return read_commit(objects, ObjectID(target), self._location.prefix, where=self._where, caps=self._caps)

    @contextmanager
    def _objects(self, target: bytes) -> Iterator[Fetched]:
        """The objects of a commit."""
        form = SHA256 if len(target) == SHA256_DIGITS else SHA1
        commit, where = [ObjectID(target)], f"{self._where} ({target.decode()[:12]})"
        budget = Budget(self._caps, where)
        with ExitStack() as packs:

            def fetched(wants: Collection[ObjectID], pack: Pack, **options: Any) -> Pack:
                packs.enter_context(closing(pack))
                self._asking(lambda: self._fetch(pack, wants, options))
                return pack

            def blobs(wants: Collection[ObjectID]) -> Pack:
                try:
                    return fetched(wants, Pack(form, budget))
                except Oversized:
                    # One large file must not hide the others: a server that can leaves it out by its size.
                    limit = b"blob:limit=%d" % (self._caps.file_bytes + 1)
                    rest = Pack(form, Budget(self._caps, where), partial=True)
                    return fetched(commit, rest, depth=1, filter_spec=limit)

            first = fetched(commit, Pack(form, budget), depth=1, filter_spec=b"blob:none")
            try:
                objects = Fetched(form, first, blobs)
            except Damaged as problem:
                raise self._damaged(problem) from None
            yield objects

    def push(self, base: str, path: str, content: bytes, branch: str, message: str) -> str:
        """Make a commit on `base` with another content of one file, and a new branch that names it; the commit's id.

        `path`: from the root. A branch that exists is used where it says the same already, and never moved.
        """
        name, refs = f"refs/heads/{branch}".encode(), self._refs()
        with self._objects(base.encode()) as objects:
            made = Commit(objects, base.encode(), path, content, message)
        if name in refs:
            with self._objects(refs[name]) as objects:
                if made.is_there(objects, refs[name]):
                    return refs[name].decode()
            raise Rejected(f"{self._where}: the branch {branch} exists, with something else; name another one")
        self._push(name, made)
        return made.id

    def read_from(self) -> str:
        """The branch that the location names; empty where it names none, a tag or a commit."""
        branch = self._location.ref.removeprefix("refs/heads/")
        return branch if branch and f"refs/heads/{branch}".encode() in self._refs() else ""

    def _refs(self) -> dict[bytes, bytes]:
        return {bytes(k): bytes(v) for k, v in self._asking(lambda: self._client.get_refs("")).refs.items() if v}

    def _push(self, name: bytes, made: Commit) -> None:
        answer = self._asking(
            lambda: self._client.send_pack(
                "", lambda _: {Ref(name): ObjectID(made.id.encode())}, lambda *_, **__: made.pack()
            )
        )
        why = (answer.ref_status or {}).get(name)
        if why:
            raise Rejected(f"{self._where}: the server refused the branch: {oneline(why)}")

    def close(self) -> None:
        """Let the connections go."""
        self._pool.close()

    def _fetch(self, pack: Pack, wants: Collection[ObjectID], options: Mapping[str, Any]) -> None:
        self._client.fetch_pack(
            "",
            lambda *_, **__: list(wants),
            ObjectStoreGraphWalker([], lambda _: []),
            pack.write,
            ref_prefix=[b"HEAD"],
            **options,
        )
        pack.finish()

    def _damaged(self, problem: Damaged) -> Unavailable:
        return Unavailable(f"{self._where}: the pack is damaged: {problem}")

    def _asking(self, ask: Callable[[], Any]) -> Any:
        """Run one exchange within its budget. The library raises whatever an answer's bytes lead it to."""
        self._pool.begin()
        caps = self._caps
        try:
            # Bytes on the wire are a little more than those that the pool counts, and has the better words for.
            with bounds.within(caps.seconds, caps.fetch_bytes + bounds.MEGABYTE, self._monotonic):
                return ask()
        except ReconcilerError:
            raise
        except Damaged as problem:
            raise self._damaged(problem) from None
        except bounds.Exceeded as problem:
            if problem.size:
                raise Oversized(f"{self._where}: more than {caps.fetch_bytes:,} bytes to fetch") from None
            raise Unavailable(f"{self._where}: not fetched within {caps.seconds:g} s") from None
        except Exception as problem:  # noqa: BLE001 - bytes from outside fail in a dozen ways, and all mean the same
            raise Unavailable(f"{self._where}: an answer cannot be read ({type(problem).__name__})") from None


class _OneHostPool:
    """Stands in for the library's pool of connections."""

    headers: Mapping[str, str] = {"User-Agent": "git/mdp-reconciler"}

    def __init__(self, location: Location, caps: Caps, access: RemoteAccess) -> None:
        self._where = f"git {location}"
        self._caps = caps
        self._access = access
        self._origin = Origin.of(location.place, what=self._where, allow_loopback=access.allow_loopback)
        self._pool = network.connections(str(self._origin))
        self._until = 0.0
        self._bytes = 0

    def begin(self) -> None:
        """Start the budget of one exchange."""
        self._until = self._access.clock.monotonic() + self._caps.seconds
        self._bytes = 0

    def close(self) -> None:
        self._pool.clear()

    def request(self, method: str, url: str, **options: Any) -> urllib3.BaseHTTPResponse:
        """What the library calls."""
        if not self._origin.covers(url):
            raise Refused(f"{self._where}: {urlsplit(url).hostname} is not {self._origin}, and no other host is called")
        headers = {k: v for k, v in dict(options.pop("headers", {})).items() if k.lower() != "authorization"}
        if self._access.authorization:
            headers["Authorization"] = self._access.authorization()
        options |= {"redirect": False, "retries": _AGAIN}
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
        try:
            response = self._pool.request(method, url, headers=headers, timeout=timeout, **options)
        except urllib3.exceptions.HTTPError as problem:
            raise Unavailable(f"{self._where}: {network.no_response(problem, str(self._origin)).why}") from None
        try:
            self._judge(response)
        except ReconcilerError:
            response.close()
            raise
        self._bind(response)
        return response

    def _judge(self, response: urllib3.BaseHTTPResponse) -> None:
        status, where = response.status, self._where
        page = not response.headers.get("Content-Type", "").startswith("application/x-git-")
        if status in (401, 403) or (page and status in (200, 203)):
            raise Forbidden(f"{where}: the server wants another sign-in (status {status})")
        if status in (404, 410):
            raise NotFound(f"{where}: no repository there, or it is hidden from this identity (status {status})")
        if status == 429:  # noqa: PLR2004 - HTTP's own number
            wait = retry_after(response.headers, self._access.clock.now())
            raise Throttled(f"{where}: the server throttles", retry_after=wait)
        if 300 <= status < 400:  # noqa: PLR2004 - HTTP's own numbers
            raise Rejected(
                f"{where}: the server answered {status}, a redirect, and none is followed; "
                "private repositories redirect to their sign-in page, moved ones to their new address"
            )
        if status >= 400:  # noqa: PLR2004 - HTTP's own number
            wait = retry_after(response.headers, self._access.clock.now())
            raise Unavailable(f"{where}: the server answered {status}", retry_after=wait)

    def _bind(self, response: urllib3.BaseHTTPResponse) -> None:
        """Watch bytes and time while the library reads."""
        read = response.read

        def bounded(amt: int | None = None, **options: Any) -> bytes:
            if self._access.clock.monotonic() > self._until:
                raise Unavailable(f"{self._where}: not fetched within {self._caps.seconds:g} s")
            data = read(amt, **options)
            self._bytes += len(data)
            if self._bytes > self._caps.fetch_bytes:
                raise Oversized(f"{self._where}: more than {self._caps.fetch_bytes:,} bytes to fetch")
            if data.startswith(b"ERR "):
                raise self._said(data[4:].decode("utf-8", "replace"))
            return data

        response.read = bounded  # type: ignore[method-assign,assignment] # the library reads through this name

    def _said(self, words: str) -> ReconcilerError:
        """A server's own error line, which the library takes for the end of the exchange in protocol 2.

        No other line begins so: pack data is in side bands, and a line of refs begins with an id.
        """
        if "not our ref" in words:
            return NotFound(f"{self._where}: the server does not give that commit")
        return Unavailable(f"{self._where}: the server said: {oneline(words)}")
