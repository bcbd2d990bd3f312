"""Output: results on standard output, everything else on standard error; colours on terminals only.

Nothing that comes from outside is read as markup, and every line passes `render.clean`, and results are redacted.
rich is imported for a progress bar only, that is, where standard error is a terminal.
"""

from __future__ import annotations

import io
import os
import select
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Event
from typing import TYPE_CHECKING, TextIO

import typer

from reconciler.documents.redaction import redact, redacted
from reconciler.plan import render

if TYPE_CHECKING:
    from rich.progress import Progress

    from reconciler.cli.progress import ProgressDisplay, Wait
    from reconciler.documents import Json
    from reconciler.plan.model import Plan
    from reconciler.plan.sync import SyncCause

_STYLES = {"  + ": "green", "  - ": "red", "  ~ ": "yellow", "  ! ": "bold red", "  ? ": "magenta"}
_STATES = {"out of sync": "yellow", "in sync": "green", "not verified": "magenta"}


def write(line: str, style: str = "", *, color: bool | None = None, err: bool = False) -> None:
    """One line as it is. `style`: ``bold red`` and the like; `color`: None for colours on a terminal only."""
    fg, *_ = [*(word for word in style.split() if word not in ("bold", "dim")), None]
    styled = typer.style(line, fg=fg, bold="bold" in style or None, dim="dim" in style or None) if style else line
    typer.echo(styled, err=err, color=color)


def color_of(*, wanted: bool) -> bool | None:
    """Whether to colour: False never, True always, None on a terminal (https://no-color.org, https://force-color.org)."""
    if not wanted or os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return False if os.environ.get("TERM") == "dumb" else None


class Screen:
    """The two streams of one run."""

    def __init__(self, *, color: bool = True, verbose: bool = False, wait: Wait = Event.wait) -> None:
        """`wait`: between two lines of progress that is piped."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")  # an arrow must not end a run on an old code page
        self.verbose = verbose
        self._color = color_of(wanted=color)
        self._wait = wait
        self._bars: Progress | None = None
        self._shown: ProgressDisplay | None = None

    def result(self, text: str) -> None:
        """A result, redacted; it may have several lines."""
        self._out(redact(text))

    def document(self, document: Json) -> None:
        """A result as JSON."""
        self._out(render.json_text(redacted(document)))

    def plan(self, plan: Plan, cause: SyncCause | None = None, *, err: bool = False, full: bool = False) -> None:
        """A plan as text, a colour for each kind of line; `cause`: why it is out of sync; `err`: no result.

        `full`: long values are whole.
        """
        put = self._err if err else self._out
        columns = shutil.get_terminal_size().columns if _terminal(sys.stderr if err else sys.stdout) else None
        head, *lines = render.text(plan, columns, *([cause] if cause else []), full=full).splitlines()
        style = next((style for word, style in _STATES.items() if word in render.state(plan)), "")
        put(head, f"bold {style}")
        for line in lines:
            style = style if line.startswith("      ") else _STYLES.get(line[:4], "")
            put(line, style)

    def total(self, line: str, *, err: bool = False) -> None:
        """What several plans come to."""
        (self._err if err else self._out)(line, "bold")

    def ask(self, question: str) -> bool:
        """Whether the answer to a question on standard error is yes; no answer at all is no."""
        sys.stderr.write(question)
        sys.stderr.flush()
        while os.name == "posix" and not select.select([sys.stdin], [], [], 0.5)[0]:
            pass  # a Ctrl-C that comes just before a blocking read would only be seen with the answer
        answer = sys.stdin.readline()
        if not answer.endswith("\n"):
            sys.stderr.write("\n")
        return answer.strip().casefold() in ("y", "yes")

    def good(self, line: str) -> None:
        """A result that is as it should be."""
        self._out(render.clean(line), "green")

    def bad(self, line: str) -> None:
        """A result that is not."""
        self._out(render.clean(line), "red")

    def note(self, line: str) -> None:
        """Something on the way to the result."""
        self._err(render.clean(line))

    def detail(self, line: str) -> None:
        """What `--verbose` adds."""
        if self.verbose:
            self._err(render.clean(line), "dim")

    def error(self, line: str) -> None:
        """Why there is no result, or not all of it."""
        self._err(f"error: {render.clean(line)}", "red")

    @contextmanager
    def progress(self, what: str, total: int | None) -> Iterator[ProgressDisplay]:
        """A bar on a terminal, plain lines elsewhere, for something with `total` steps (None: unknown).

        Within another one it goes on with that.
        """
        if self._shown is not None:
            self._shown.begin(what, total)
            yield self._shown
            return
        from reconciler.cli.progress import ProgressDisplay, bars_of  # noqa: PLC0415 - `validate` shows none

        with ExitStack() as stack:
            self._bars = stack.enter_context(bars_of(color=self._color)) if _terminal(sys.stderr) else None
            self._shown = ProgressDisplay(self.note, self._bars)
            self._shown.begin(what, total)
            stack.enter_context(self._shown.beating(self._wait))
            try:
                yield self._shown
            finally:
                self._bars = self._shown = None

    def _out(self, line: str, style: str = "") -> None:
        write(line, style, color=self._color)

    def _err(self, line: str, style: str = "") -> None:
        if self._bars is None:
            write(line, style, color=self._color, err=True)
            return
        from rich.text import Text  # noqa: PLC0415 - a bar is shown, so rich is there

        self._bars.console.print(Text(line, style=style))


def _terminal(stream: TextIO) -> bool:
    """Whether a person watches it; a dumb terminal cannot move its cursor."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"
