"""The file of `--env-file`: settings, and nothing that a spec author could use to widen what is allowed.

A file is read only where the command line names it: a pull request can contain a file with any name. Values are
literal; nothing is interpolated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

from dotenv.parser import Binding, parse_stream

from reconciler.config.settings import PREFIX, SettingsInvalid, environment

OWNERS = tuple(f"{PREFIX}{name}" for name in ("POLICY", "CAPABILITIES", "STORAGE_HOSTS"))
"""Settings that limit spec authors, so they never come from a file that a spec author can change."""

_OF_LIBRARIES = re.compile(
    r"(https?|all|no)_proxy|(requests|curl)_ca_bundle|ssl_cert_(file|dir)|(azure|otel|identity|msi)_.*", re.IGNORECASE
)
"""Read by libraries from the environment; in a file they would have no effect."""


def read(path: Path | None, specs: str = "") -> dict[str, str]:
    """The settings of the file; `SettingsInvalid` with one line for each problem.

    `specs` is the option of that name: a file below a folder of specs is a spec author's, as is one in a work tree.
    """
    if path is None:
        return {}
    bindings = _bindings(path)
    found = {name: (binding.value, binding.original.line) for binding in bindings if (name := binding.key)}
    given = {name: value for name, (value, _) in found.items() if value is not None}
    problems = [_unreadable(path, binding) for binding in bindings if binding.error or _valueless(binding)]
    problems += [
        f"{path}:{line}: {name} has an effect in the environment only; set it there"
        for name, (_, line) in found.items()
        if _OF_LIBRARIES.fullmatch(name)
    ]
    specs = specs or environment().get(f"{PREFIX}SPECS") or given.get(f"{PREFIX}SPECS", "")
    if place := _place_of_authors(path, specs):
        problems += [
            f"{path}:{line}: {name} cannot be set by a file in {place}; set it in the environment"
            for name, (_, line) in found.items()
            if name in OWNERS
        ]
    if problems:
        raise SettingsInvalid(tuple(problems))
    return given


def values(path: Path | None) -> Mapping[str, str]:
    """Whatever values the file holds, to mask secrets in texts; raises nothing."""
    try:
        bindings = _bindings(path) if path is not None else ()
    except SettingsInvalid:
        return {}
    return {binding.key: binding.value for binding in bindings if binding.key and binding.value}


def _bindings(path: Path) -> tuple[Binding, ...]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SettingsInvalid((f"--env-file: {path}: {error.strerror}",)) from None
    except UnicodeDecodeError:
        raise SettingsInvalid((f"--env-file: {path}: not a text in UTF-8",)) from None
    return tuple(parse_stream(StringIO(text)))


def _valueless(binding: Binding) -> bool:
    return binding.key is not None and binding.value is None


def _unreadable(path: Path, binding: Binding) -> str:
    """Without the line itself, which may hold a secret."""
    line = binding.original.line + len(binding.original.string) - len(binding.original.string.lstrip("\n"))
    return f"{path}:{line}: not NAME=VALUE"


def _place_of_authors(path: Path, specs: str) -> str:
    """Where the file lies, if a spec author can change it there; empty otherwise."""
    folders = path.resolve().parents
    place = specs.partition("#")[0].removeprefix("file://")
    if place and "://" not in place and Path(place).resolve() in folders:
        return "the folder of the specs"
    return "a Git work tree" if any((folder / ".git").exists() for folder in folders) else ""
