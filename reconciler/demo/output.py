"""Output of the story: headings, the commands as people type them, and the result of each check.

A check that fails ends the story; nothing after it would mean anything.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from reconciler.cli.screen import color_of, write
from reconciler.demo.process import Workspace, run
from reconciler.demo.serving import Serving
from reconciler.plan import render

Json: TypeAlias = Any


class StepFailed(Exception):
    """A check of the story failed."""


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    """Empty where it was shown instead of kept."""

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
        self._tint = color_of(wanted=color)

    def heading(self, text: str) -> None:
        """Begin a step."""
        self.say("")
        self.say(text, "bold cyan")

    def say(self, text: str, style: str = "") -> None:
        """A line of the story, unless Ctrl-C was pressed."""
        self._place.interruption.check()
        write(render.clean(text), style, color=self._tint)

    def check(self, what: str, holds: object, otherwise: object = "") -> None:
        """Something that has to be true now; `otherwise`: what was found instead."""
        if holds:
            self.say(f"  ✓ {what}", "green")
            return
        self.say(f"  ✗ {what}" + (f": found {otherwise}" if otherwise != "" else ""), "bold red")
        raise StepFailed(what)

    def run(self, *arguments: str) -> Done:
        """A command of the reconciler, shown as people type it; its output goes where ours goes."""
        self.say(f"  $ python -m reconciler {' '.join(arguments)}", "bold")
        sys.stdout.flush()
        return self._reconciler([*arguments, *([] if self._color else ["--no-color"])], keep=False)

    def ask(self, *arguments: str) -> Done:
        """The same; its output is kept for a check and not shown."""
        return self._reconciler(arguments, keep=True)

    def serve(self, *arguments: str, **more: str) -> Serving:
        """A `serve` that is ready; `more`: settings beside those of the folder."""
        self.say(f"  $ python -m reconciler serve {' '.join(arguments)}", "bold")
        given = {f"RECONCILER_{name}": text for name, text in more.items()}
        serving = Serving(["--port", "0", *arguments], self._place.folder, {**self._place.environment, **given})
        self.check("it is ready", serving.url, serving.line)
        return serving

    def _reconciler(self, arguments: Sequence[str], *, keep: bool) -> Done:
        return Done(*run(arguments, self._place, keep=keep))
