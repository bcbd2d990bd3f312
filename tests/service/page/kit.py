"""Pages of a deployment without processes: specs as texts, statuses and record in a SQLite file, and HTML to look at."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from reconciler.adapters.clock import SystemClock
from reconciler.adapters.sqlite.store import Local
from reconciler.documents import Json
from reconciler.engine.status import Finding, PoolStatus, Truth
from reconciler.ports.specs import Snapshot
from reconciler.safety import ModeSetting, Safety
from reconciler.service.catalogue import Catalogue
from reconciler.service.http.message import HttpRequest, HttpResponse
from reconciler.service.page.context import PageContext, Viewer
from reconciler.service.page.pictures import Pictures
from reconciler.service.page.views import organization, overview, pool
from reconciler.spec.model import Spec, WriteMode
from tests.deployment import spec

REVISION = "0123456789abcdef0123456789abcdef01234567"
VOID = frozenset({"meta", "link", "br", "input", "hr", "img", "path", "circle"})


@dataclass
class Element:
    """One element of a page."""

    tag: str
    attributes: dict[str, str]
    text: str = ""


class Dom(HTMLParser):
    """The elements of a page in order; what is not closed, or closed twice, is a problem."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self.problems: list[str] = []
        self._open: list[Element] = []
        self.feed(html)
        self.close()
        self.problems += [f"<{one.tag}> stays open" for one in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        self.problems += [f"<{tag} {name}> twice" for name in set(names) if names.count(name) > 1]
        self.handle_data(" ")  # what stands in an element of its own is a word of its own
        made = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(made)
        if tag not in VOID:
            self._open.append(made)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1].tag != tag:
            self.problems.append(f"</{tag}> closes {self._open[-1].tag if self._open else 'nothing'}")
            return
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for one in self._open:
            one.text += data

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """Elements of this tag with these attributes; `_` for a hyphen, `*` for any value."""
        wanted = {name.replace("_", "-"): value for name, value in attributes.items()}
        return [
            one for one in self.elements
            if one.tag == tag and all(
                name in one.attributes and value in ("*", one.attributes[name]) for name, value in wanted.items()
            )
        ]  # fmt: skip

    @property
    def text(self) -> str:
        """All that a person reads."""
        return " ".join(self.all("main")[0].text.split()) if self.all("main") else ""


@dataclass
class Files:
    """Specs in a repository that nothing reads but this."""

    texts: dict[str, str]
    revision: str = REVISION
    stale: str = ""
    reads: int = 0

    def snapshot(self) -> Snapshot:
        self.reads += 1
        files = {f"{name}.yaml": text.encode() for name, text in self.texts.items()}
        return Snapshot(self.revision, files, self.stale)


@dataclass
class Aged:
    """A clock that stands still until it is put on."""

    clock: SystemClock
    seconds: float = 0.0

    def now(self) -> datetime:
        return self.clock.now()

    def monotonic(self) -> float:
        return self.seconds


@dataclass
class Site:
    """A status page with what it stands on."""

    folder: Path
    files: Files
    operates: bool = True
    plans: Json = None
    repository: str = "https://github.com/fabrikam/pools"
    asked: list[str] = field(default_factory=list)
    modes: Sequence[ModeSetting] = ()

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self.clock = SystemClock()
        self.store = Local(self.folder / "state.db", self.clock)
        self.catalogue = Catalogue(self.files, self.clock)
        self.pictures = Pictures(math.inf)
        self.safety = Safety(self.store.safety, self.clock, WriteMode.ENFORCE)

    def context(self) -> PageContext:
        def plan(_spec: Spec, _revision: str) -> Json:
            return self.plans

        return PageContext(
            self.pictures, self.store.state, self.store.record, self.clock, lambda: self.modes,
            plan if self.plans is not None else None, lambda spec: self.asked.append(spec.name), Viewer(self.operates),
            self.repository, "specs/", 900.0,
        )  # fmt: skip

    def picture(self) -> Any:
        return self.pictures.picture(self.catalogue, self.store.state, self.clock)

    def get(self, path: str) -> HttpResponse:
        """What the page at this address of the site is."""
        parts = urlsplit(path)
        first, _, name = parts.path.strip("/").partition("/")
        view = {"": overview, "pools": pool, "organizations": organization}[first]
        request = HttpRequest("GET", path, {"name": name}, dict(parse_qsl(parts.query)))
        return view(self.context(), self.picture(), request)

    def dom(self, path: str) -> Dom:
        """The page at this address."""
        found = self.get(path)
        assert found.status == 200
        return Dom(found.content().decode())

    def status(self, key: str, ready: Truth, reason: str, message: str = "", **more: Any) -> None:
        """Store a status, as a run leaves it."""
        moving, stalled = more.pop("moving", ""), more.pop("stalled", "")
        found = Finding(ready, reason, message, moving, stalled, message if stalled else "")
        status = PoolStatus(key, **({"attempted": REVISION} | more)).found(found, self.clock.now())
        self.save(f"pools/{key}", status.to_json())

    def save(self, name: str, body: Json) -> None:
        """Store a document."""
        known = self.store.state.load(name)
        self.store.state.save(name, body, known.etag if known is not None else None)
        self.pictures.forget()

    def ago(self, **given: float) -> datetime:
        """A moment before now."""
        return self.clock.now() - timedelta(**given)


def entry(number: int, **more: Any) -> dict[str, Any]:
    """An intent, as the recorder writes it."""
    return {
        "v": 1, "kind": "intent", "id": f"r.{number}", "run": "r", "pool": "build-pool", "trigger": "automatic",
        "commit": REVISION, "file": "build-pool.yaml", "plan": "p", "policy": "q", "trace": "", "actor": None,
        "change": f"c{number}", "facet": "open_access", "what": "open access", "subject": f"write {number}",
        "action": "create", "route": "Azure DevOps", "place": {"organization": "fabrikam-prime", "project": "Web"},
        "before": None, "after": "all pipelines", "details": [], "risk": "widens", "counts": {}, "risks": ["widens"],
        **more,
    }  # fmt: skip


def texts(*names: str, organization: str = "fabrikam-prime", projects: Sequence[str] = ()) -> dict[str, str]:
    """Specs of these pools."""
    found = {name: spec(name, organization) for name in names}
    named = ", ".join(f"'{project}'" for project in projects)
    return {name: text.replace("'projects': []", f"'projects': [{named}]") for name, text in found.items()}
