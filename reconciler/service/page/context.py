"""What a page needs, and what its viewer may do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from reconciler.documents import Json
from reconciler.ports.clock import Clock
from reconciler.ports.stores import StateStore
from reconciler.ports.write_log import WriteLog
from reconciler.safety import ModeScope, ModeSetting
from reconciler.service.page.pictures import Pictures
from reconciler.spec.model import Spec


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks at the page."""

    operates: bool
    """Whether the viewer may request runs and plans."""
    signs_out: bool = False
    """Whether the platform signed the viewer in, and can sign out."""
    owner: str = ""
    """The viewer's object id, where the viewer has the owner's role; empty elsewhere."""


@dataclass(frozen=True, slots=True)
class PageContext:
    """The parts of a page."""

    pictures: Pictures
    state: StateStore
    record: WriteLog
    clock: Clock
    modes: Callable[[], Sequence[ModeSetting]]
    plan: Callable[[Spec, str], Json] | None
    """Plans a pool at a revision; None where this app does not read the two planes."""
    request: Callable[[Spec], None]
    """Queues a request for a run."""
    viewer: Viewer
    repository: str = ""
    """Where the specs come from, for links; without a user or password."""
    folder: str = ""
    """Folder of the specs in the repository, with a slash at its end; empty for the root."""
    sweep_seconds: float = 900.0
    pauses: Callable[[], Sequence[ModeSetting]] = tuple
    """Those that are not over."""
    pause: Callable[[Sequence[ModeScope], str, str], datetime] | None = None
    """Pauses these until a moment, with a reason, and gives its end; None where the viewer is not the owner."""
    resume: Callable[[ModeScope], Sequence[str]] | None = None
    """Ends pauses, and gives the fields that were paused."""
