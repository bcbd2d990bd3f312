"""Reads the Containerfile and carries out its steps in a folder, since no container engine is assumed.

The base image is this Python; a stage's file system is a folder. Absolute paths below the folders that the
Containerfile makes (`/opt`, `/src`, `/state`) become paths below that folder. The user and its groups are not applied.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import string
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.packaging.conftest import environment

_OURS = re.compile(r"(?<![\w./])/(?=(?:opt|src|state)\b)")


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction, with its continued lines joined."""

    word: str
    text: str


def steps(text: str) -> list[Step]:
    """The instructions of a Containerfile, in order, without comments."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines)).splitlines()
    return [Step(word.upper(), rest.strip()) for word, _, rest in (line.partition(" ") for line in joined)]


@dataclass(slots=True)
class Image:
    """What the steps left: a file system, and how a container starts."""

    root: Path
    context: Path
    variables: dict[str, str] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    """USER, STOPSIGNAL, HEALTHCHECK, ENTRYPOINT and CMD, as written."""
    workdir: str = "/"
    stage: str = ""

    def build(self, text: str) -> None:
        """Carry out all steps. A step that fails fails the test with its output."""
        for step in steps(text):
            match step.word:
                case "FROM":
                    self._begin(step.text)
                case "RUN":
                    self._run(step.text)
                case "COPY":
                    self._copy(step.text)
                case "ENV":
                    self._env(step.text)
                case "WORKDIR":
                    self.workdir = step.text
                    self.path(step.text).mkdir(parents=True, exist_ok=True)
                case "USER" | "STOPSIGNAL" | "HEALTHCHECK" | "ENTRYPOINT" | "CMD":
                    self.settings[step.word] = step.text
                case "ARG" | "LABEL" | "VOLUME" | "EXPOSE":
                    pass
                case other:
                    raise AssertionError(f"no step of this kind is known here: {other}")

    def path(self, path: str) -> Path:
        """A path of the image, or one relative to its working folder, on this machine."""
        return self.root / (Path(self.workdir) / path).as_posix().lstrip("/")

    def here(self, text: str) -> str:
        """A text with the image's absolute paths replaced by those of this machine."""
        return _OURS.sub(f"{self.root}/", text)

    def started(self, more: Mapping[str, str]) -> dict[str, str]:
        """The environment of a container: ENV of the image, and what it is started with."""
        return {**{name: self.here(text) for name, text in self.variables.items()}, **more}

    def command(self, name: str) -> list[str]:
        """ENTRYPOINT, CMD, or the command of HEALTHCHECK, which are JSON lists."""
        words: list[str] = json.loads(self.settings[name][self.settings[name].index("[") :])
        return words

    def _begin(self, text: str) -> None:
        if self.stage:
            self.root.rename(self.root.with_name(self.stage))
        self.stage = text.partition(" AS ")[2]
        self.root.mkdir()
        self.workdir = "/"
        self.variables = {"PATH": f"{self._base()}{os.pathsep}/usr/bin{os.pathsep}/bin"}

    def _base(self) -> Path:
        """The folder where a base image has its `python`."""
        folder = self.root.with_name("base")
        folder.mkdir(exist_ok=True)
        if not (folder / "python").exists():
            (folder / "python").symlink_to(Path(sys.base_prefix) / "bin" / "python3")
        return folder

    def _run(self, text: str) -> None:
        done = subprocess.run(
            ["sh", "-euc", self.here(text)],
            cwd=self.path("."),
            env=environment(**self.started({"UV_LINK_MODE": "copy"})),  # modes of these files change later
            capture_output=True,
            text=True,
            check=False,
            timeout=500,
        )
        assert done.returncode == 0, f"RUN {text}\n{done.stdout}{done.stderr}"

    def _copy(self, text: str) -> None:
        words = text.split()
        stage = next((word.partition("=")[2] for word in words if word.startswith("--from=")), "")
        *sources, target = [word for word in words if not word.startswith("--")]
        for source in sources:
            found = self.root.with_name(stage) / source.lstrip("/") if stage else self.context / source
            place = self.path(target) / found.name if target.endswith("/") else self.path(target)
            if found.is_dir():
                shutil.copytree(found, place, symlinks=True)
            else:
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(found, place)

    def _env(self, text: str) -> None:
        for name, value in re.findall(r"(\w+)=(\S+)", text):
            self.variables[name] = string.Template(value).safe_substitute(self.variables)
