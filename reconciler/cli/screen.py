"""What people see: results on standard output, everything else on standard error; colours on terminals alone.

Nothing that comes from outside is read as markup, every line passes `render.clean`, and results are redacted.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Column
from rich.text import Text

from reconciler.documents import Json
from reconciler.documents.redaction import redact, redacted
from reconciler.plan import render
from reconciler.plan.model import Plan

_STYLES = {"  + ": "green", "  - ": "red", "  ~ ": "yellow", "  ! ": "bold red", "  ? ": "magenta"}
_STATES = {"in sync": "green", "drifted": "yellow", "not all": "magenta"}


class Screen:
    """The two streams of one run."""

    def __init__(self, *, color: bool = True, verbose: bool = False) -> None:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")  # an arrow must not end a run on an old code page
        self.verbose = verbose
        self._out = _console(stderr=False, color=color)
        self._err = _console(stderr=True, color=color)

    @property
    def interactive(self) -> bool:
        """Whether somebody watches standard error: bars there, plain lines elsewhere."""
        return self._err.is_terminal

    def result(self, text: str) -> None:
        """A result, redacted; it may have several lines."""
        self._out.print(Text(redact(text)))

    def document(self, document: Json) -> None:
        """A result as JSON."""
        self.result(render.json_text(redacted(document)))

    def plan(self, plan: Plan) -> None:
        """A plan as text, a colour for each kind of line."""
        columns = self._out.width if self._out.is_terminal else None
        head, *lines = render.text(plan, columns).splitlines()
        style = next((style for word, style in _STATES.items() if word in render.state(plan)), "")
        self._out.print(Text(head, style=f"bold {style}"))
        for line in lines:
            style = style if line.startswith("      ") else _STYLES.get(line[:4], "")
            self._out.print(Text(line, style=style))

    def good(self, line: str) -> None:
        """A result that is as it should be."""
        self._out.print(Text(render.clean(line), style="green"))

    def bad(self, line: str) -> None:
        """A result that is not."""
        self._out.print(Text(render.clean(line), style="red"))

    def note(self, line: str) -> None:
        """Something on the way to the result."""
        self._err.print(Text(render.clean(line)))

    def detail(self, line: str) -> None:
        """Something for those who asked for more."""
        if self.verbose:
            self._err.print(Text(render.clean(line), style="dim"))

    def error(self, line: str) -> None:
        """Why there is no result, or not all of it."""
        self._err.print(Text(f"error: {render.clean(line)}", style="red"))

    @contextmanager
    def progress(self, what: str, total: int | None) -> Iterator[Track]:
        """A bar on a terminal, plain lines elsewhere, for something with `total` steps (None: unknown)."""
        if not self.interactive:
            yield Track(self, what, None)
            return
        said = TextColumn("{task.description}", markup=False, table_column=Column(ratio=1, no_wrap=True))
        columns = (SpinnerColumn(), BarColumn(bar_width=16), MofNCompleteColumn(), TimeElapsedColumn(), said)
        with Progress(*columns, console=self._err, transient=True, expand=True) as bars:
            yield Track(self, what, bars, total)


class Track:
    """Progress of one thing; on a terminal lines go above the bar."""

    def __init__(self, screen: Screen, what: str, bars: Progress | None, total: int | None = None) -> None:
        self._screen = screen
        self._what = what
        self._bars = bars
        self._last = ""
        self._task = bars.add_task(render.clean(what), total=total) if bars else None

    @property
    def interactive(self) -> bool:
        """Whether there is a bar."""
        return self._bars is not None

    def line(self, text: str) -> None:
        """Something worth keeping on the screen."""
        self._screen.note(text)

    def now(self, text: str, tail: str = "") -> None:
        """What is being done. On a terminal it is shown while it lasts; elsewhere it is a line, without `tail`."""
        if self._bars is not None and self._task is not None:
            self._bars.update(self._task, description=render.clean(text + tail))
        elif text != self._last:
            self._screen.note(text)
        self._last = text

    def steps(self, done: int, total: int) -> None:
        """How many of how many steps are done."""
        if self._bars is not None and self._task is not None:
            self._bars.update(self._task, completed=done, total=total)

    def unknown(self) -> None:
        """How many steps there will be is not known: reading, or waiting."""
        if self._bars is not None and self._task is not None:
            self._bars.tasks[0].total = None  # `update` takes None for «as it is»
            self._bars.update(self._task, completed=0)

    def step(self, text: str = "") -> None:
        """One more step is done."""
        if self._bars is not None and self._task is not None:
            self._bars.update(self._task, advance=1, description=render.clean(text or self._what))


def _console(*, stderr: bool, color: bool) -> Console:
    return Console(
        stderr=stderr, no_color=not color or None, highlight=False, markup=False, emoji=False, soft_wrap=True
    )
