"""The output of the demo: headings, the commands as people type them, and the checks.

A failed check ends the demo, since later steps build on it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rich.console import Console
from rich.text import Text

from reconciler.cli.program import PROGRAM
from reconciler.demo.process import Workspace, run
from reconciler.demo.serving import Serving
from reconciler.documents import Json
from reconciler.plan import render

ENV_FILE = "demo.env"
"""The settings of the demo, in its folder; its commands name the file."""
_BEFORE = ("--env-file", ENV_FILE)


class StepFailed(Exception):
    """A check of the demo failed."""


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    """Empty where the output was shown and not kept."""

    def document(self) -> dict[str, Json]:
        """The JSON that it printed."""
        try:
            return dict(json.loads(self.out))
        except ValueError as error:
            raise StepFailed(f"no JSON came back, the exit code was {self.code}") from error


class Output:
    """One terminal, or none."""

    def __init__(self, place: Workspace, *, color: bool) -> None:
        self._place = place
        self._color = color
        self._console = Console(no_color=not color or None, highlight=False, markup=False, emoji=False, soft_wrap=True)

    def heading(self, text: str) -> None:
        """Begin a step."""
        self.say("")
        self.say(text, "bold cyan")

    def say(self, text: str, style: str = "") -> None:
        """Print a line, unless the demo was interrupted."""
        self._place.interruption.check()
        self._console.print(Text(render.clean(text), style=style))

    def waiting(self) -> None:
        """Call while something is waited for: raises where the demo was interrupted."""
        self._place.interruption.check()

    def check(self, what: str, holds: object, otherwise: object = "") -> None:
        """Check a condition; `otherwise` is what was found instead."""
        if holds:
            self.say(f"  ✓ {what}", "green")
            return
        self.say(f"  ✗ {what}" + (f": found {otherwise}" if otherwise != "" else ""), "bold red")
        raise StepFailed(what)

    def run(self, *arguments: str, **more: str) -> Done:
        """Run a command of the reconciler, shown as people type it, with its output; `more`: as of `serve`."""
        self.say(f"  $ {PROGRAM} {' '.join((*_BEFORE, *arguments))}", "bold")
        sys.stdout.flush()
        return self._reconciler([*arguments, *([] if self._color else ["--no-color"])], more, keep=False)

    def ask(self, *arguments: str) -> Done:
        """Run a command for a check; its output is kept and not shown."""
        return self._reconciler(arguments, {}, keep=True)

    def serve(self, *arguments: str, **more: str) -> Serving:
        """Start `serve` and wait until it is ready; `more`: settings in addition to those of the folder."""
        self.say(f"  $ {PROGRAM} {' '.join((*_BEFORE, 'serve', '--no-key', *arguments))}", "bold")
        serving = Serving(
            [*_BEFORE, "serve", "--port", "0", "--no-key", *arguments], self._place.folder, self._environment(more)
        )
        self.check("it is ready", serving.url, serving.line)
        return serving

    def _environment(self, more: Mapping[str, str]) -> dict[str, str]:
        return {**self._place.environment, **{f"RECONCILER_{name}": text for name, text in more.items()}}

    def _reconciler(self, arguments: Sequence[str], more: Mapping[str, str], *, keep: bool) -> Done:
        place = replace(self._place, environment=self._environment(more))
        return Done(*run([*_BEFORE, *arguments], place, keep=keep))
