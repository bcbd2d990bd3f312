"""What a deployment is made of, as one value: templates, the JSON beside them, host.json, azure.yaml, the package script.

A check is a function from a world to problems. That it finds anything is shown by breaking one text of the world.
"""

from __future__ import annotations

import functools
import importlib.util
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.infra import bicep
from tests.infra.bicep import INFRA, Template

ROOT = INFRA.parent
_BESIDE = ("host.json", "azure.yaml", "scripts/package.py")

Check = Callable[["World"], Iterator[str]]


@dataclass(frozen=True)
class World:
    """Path → text; paths of infra/ are those below it, the others those below the project."""

    texts: Mapping[str, str]

    @functools.cached_property
    def files(self) -> dict[str, Template]:
        """Every template, by its path below infra/."""
        return {path: _parsed(text, path) for path, text in self.texts.items() if path.endswith(".bicep")}

    def json(self, path: str) -> Any:
        """A JSON document."""
        return json.loads(self.texts[path])

    @functools.cached_property
    def names(self) -> dict[str, Any]:
        """infra/names.json."""
        found: dict[str, Any] = self.json("names.json")
        return found

    @functools.cached_property
    def host(self) -> dict[str, Any]:
        """host.json."""
        found: dict[str, Any] = self.json("host.json")
        return found

    @functools.cached_property
    def project(self) -> dict[str, Any]:
        """azure.yaml."""
        found: dict[str, Any] = yaml.safe_load(self.texts["azure.yaml"])
        return found

    def broken(self, path: str, old: str, new: str) -> World:
        """Another world, in which one text says something else once."""
        assert old in self.texts[path], f"{path} no longer says {old!r}"
        return World({**self.texts, path: self.texts[path].replace(old, new, 1)})


@functools.cache
def _parsed(text: str, path: str) -> Template:
    return bicep.parse(text, path)


@functools.cache
def world() -> World:
    """The one that is there."""
    below = [path for path in sorted(INFRA.rglob("*")) if path.suffix in (".bicep", ".json")]
    texts = {str(path.relative_to(INFRA)): path.read_text() for path in below}
    return World(texts | {path: (ROOT / path).read_text() for path in _BESIDE})


def differ(where: str, found: set[str], wanted: set[str]) -> Iterator[str]:
    """One line where two sets are not the same."""
    if found != wanted:
        yield f"{where}: too many: {sorted(found - wanted)}, missing: {sorted(wanted - found)}"


def unlike(where: str, found: object, wanted: object) -> Iterator[str]:
    """One line where two values are not the same."""
    if found != wanted:
        yield f"{where}: is {found!r}, not {wanted!r}"


def module_at(path: Path, name: str) -> Any:
    """A fresh copy of the module in a file, under a name of its own."""
    place = importlib.util.spec_from_file_location(name, path)
    assert place is not None
    assert place.loader is not None
    module = importlib.util.module_from_spec(place)
    place.loader.exec_module(module)
    return module
