"""Progress: a bar on a terminal; elsewhere lines, and every ten seconds one with what takes the time.

rich is imported for a bar only, that is, where standard error is a terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import TYPE_CHECKING

from reconciler.documents.spelling import counted
from reconciler.plan import render
from reconciler.telemetry.traffic import TRAFFIC

if TYPE_CHECKING:
    from rich.progress import Progress, Task

Wait = Callable[[Event, float], bool]
"""Waits for an event or that many seconds, and returns whether the event is set."""
EVERY = 10.0
"""Seconds between two lines of progress where there is no terminal."""


def traffic_text() -> str:
    """``418 requests, 27 projects``."""
    requests, projects = TRAFFIC.requests, TRAFFIC.projects
    text = counted(requests, "request")
    return f"{text}, {counted(projects, 'project')}" if projects else text


class ProgressDisplay:
    """Progress of one thing; on a terminal lines go above the bar."""

    def __init__(self, note: Callable[[str], None], bars: Progress | None) -> None:
        """`note`: writes a line that stays."""
        self._note = note
        self._bars = bars
        self._what = self._last = ""
        self._done, self._total = 0, 0
        self._silent = False
        self._beats = 0
        self._task = bars.add_task("", total=None) if bars else None

    def begin(self, what: str, total: int | None) -> None:
        """Something with so many steps (None: not known) begins."""
        self._what, self._done, self._total = what, 0, total or 0
        if self._bars is not None and self._task is not None:
            self._bars.tasks[0].total = total
            self._bars.update(self._task, completed=0, description=render.clean(what))

    @contextmanager
    def beating(self, wait: Wait) -> Iterator[None]:
        """Count requests; and where there is no bar, say every ten seconds how far it is. The thread ends with this."""
        over = Event()

        def beat() -> None:
            with suppress(OSError):  # its reader is gone: the run itself goes on, and ends by its own output
                while not wait(over, EVERY):
                    self.beat()

        with TRAFFIC.watch():
            thread = None if self._bars is not None else Thread(target=beat, name="progress", daemon=True)
            if thread is not None:
                thread.start()
            try:
                yield
            finally:
                over.set()
                if thread is not None:
                    thread.join()

    def beat(self) -> None:
        """Another ten seconds are over: a line, unless what is waited for has one of its own."""
        self._beats += 1
        if not self._silent:
            steps = f"{self._done} of {self._total}, " if self._total else ""
            self._note(f"{self._last or self._what}: {steps}{traffic_text()}, {self._beats * EVERY:.0f} s so far")

    @property
    def interactive(self) -> bool:
        """Whether there is a bar."""
        return self._bars is not None

    def line(self, text: str) -> None:
        """A line that stays on the screen."""
        self._note(text)

    def now(self, text: str) -> None:
        """What is being done. On a terminal it is shown while it lasts; elsewhere it is a line."""
        if self._bars is not None and self._task is not None:
            self._bars.update(self._task, description=render.clean(text))
        elif text != self._last:
            self._note(text)
        self._last, self._silent = text, False

    def state(self, text: str) -> None:
        """What goes on, on a terminal alone: elsewhere a line of its own has said it."""
        self._silent = True
        if self._bars is not None and self._task is not None:
            self._bars.update(self._task, description=render.clean(text))

    def steps(self, done: int, total: int) -> None:
        """How many of how many steps are done."""
        self._done, self._total = done, total
        if self._bars is not None and self._task is not None:
            self._bars.update(self._task, completed=done, total=total)

    def unknown(self) -> None:
        """How many steps there will be is not known: reading, or waiting."""
        self._done = self._total = 0
        if self._bars is not None and self._task is not None:
            self._bars.tasks[0].total = None  # `update` takes None for «as it is»
            self._bars.update(self._task, completed=0)

    def step(self, text: str = "") -> None:
        """One more step is done."""
        self._done += 1
        self._last = text or self._last
        if self._bars is not None and self._task is not None:
            self._bars.update(self._task, advance=1, description=render.clean(text or self._what))


def bars_of(*, color: bool | None) -> Progress:
    """A bar that is rewritten in place, and removed at its end."""
    from rich.console import Console  # noqa: PLC0415 - see the module's docstring
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )
    from rich.table import Column  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    class _Requests(ProgressColumn):
        """What takes the time."""

        def render(self, task: Task) -> Text:  # noqa: ARG002 - the same for each
            return Text(traffic_text())

    console = Console(
        stderr=True, no_color=color is False or None, highlight=False, markup=False, emoji=False, soft_wrap=True
    )
    text = TextColumn("{task.description}", markup=False, table_column=Column(ratio=1, no_wrap=True))
    columns = (SpinnerColumn(), BarColumn(bar_width=16), MofNCompleteColumn(), TimeElapsedColumn(), _Requests(), text)
    return Progress(*columns, console=console, transient=True, expand=True)
