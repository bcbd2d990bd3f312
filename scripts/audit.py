"""Looks up the known vulnerabilities of every locked Python package with pip-audit, in the database of osv.dev.

No finding proves something only where the database was read. A package that is known to be vulnerable is looked up with
the others: where it is reported as clean, or where a package was skipped, the audit fails, since it audited nothing.
Exits with 0 (no vulnerability known), 1 (vulnerabilities, one line each) or 2 (not audited).
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from scripts.tracked import ROOT

KNOWN_BAD = ("flask", "0.5")
"""In the database since 2018 (PYSEC-2018-66), and in none of the lock files."""
LOCKS = ("requirements*.txt", "tests/locks/*.txt")


@dataclass(frozen=True, slots=True)
class Found:
    """One package that was looked up."""

    name: str
    version: str
    vulnerabilities: tuple[str, ...]


class NotAuditedError(Exception):
    """The database was not read, or not for every package."""


def main(arguments: list[str]) -> int:
    """Audit, and print the result."""
    parser = argparse.ArgumentParser(prog="audit", description=__doc__.partition("\n")[0])
    parser.add_argument("--root", type=Path, default=ROOT, help="folder with the lock files")
    parser.add_argument("--osv-url", help="another database with the interface of api.osv.dev")
    parser.add_argument(
        "--ignore-vuln", action="append", default=[], metavar="ID", help="a vulnerability that was judged"
    )
    options = parser.parse_args(arguments)
    try:
        pins = locked(options.root)
        groups = _one_version_each({*pins, KNOWN_BAD})
        found = [each for group in groups for each in _look_up(group, options.osv_url, options.ignore_vuln)]
        _verify_complete(pins, found)
    except NotAuditedError as error:
        sys.stderr.write(f"audit: {error}\n")
        return 2
    bad = [each for each in found if each.vulnerabilities and (each.name, each.version) != KNOWN_BAD]
    for each in bad:
        print(f"{each.name} {each.version}: {', '.join(each.vulnerabilities)}")  # noqa: T201 - a command
    print(f"{len(pins)} packages audited, {len(bad)} with known vulnerabilities")  # noqa: T201 - a command
    return 1 if bad else 0


def locked(root: Path) -> set[tuple[str, str]]:
    """Name and version of every package in the lock files, for all platforms."""
    texts = [path.read_text(encoding="utf-8") for pattern in LOCKS for path in sorted(root.glob(pattern))]
    pins = {
        (name.lower(), version)
        for text in texts
        for name, version in re.findall(r"^([\w.-]+)==([^\s;\\]+)", text, re.MULTILINE)
    }
    if not pins:
        raise NotAuditedError(f"no lock file with packages was found in {root}: {' or '.join(LOCKS)}")
    return pins


def _look_up(pins: set[tuple[str, str]], url: str | None, ignored: list[str]) -> list[Found]:
    """What pip-audit reports for packages of one version each."""
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder, "requirements.txt")
        listed.write_text("".join(f"{name}=={version}\n" for name, version in sorted(pins)), encoding="utf-8")
        command = [
            sys.executable, "-m", "pip_audit", "--requirement", str(listed), "--no-deps", "--disable-pip",
            "--progress-spinner", "off", "--format", "json", "--vulnerability-service", "osv",
            "--cache-dir", str(Path(folder, "cache")),
            *(["--osv-url", url] if url else []), *(word for each in ignored for word in ("--ignore-vuln", each)),
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own arguments
    try:
        return [
            Found(each["name"].lower(), each["version"], tuple(sorted(vuln["id"] for vuln in each["vulns"])))
            for each in json.loads(done.stdout)["dependencies"]
            if "skip_reason" not in each
        ]
    except (ValueError, KeyError, TypeError):
        lines = done.stderr.strip().splitlines() or ["no output"]
        raise NotAuditedError(f"pip-audit could not look up the packages: {lines[-1][:300]}") from None


def _one_version_each(pins: set[tuple[str, str]]) -> list[set[tuple[str, str]]]:
    """The packages in groups that hold each package once: two lock files may have two versions of one."""
    groups: list[dict[str, str]] = []
    for name, version in sorted(pins):
        group = next((each for each in groups if name not in each), None)
        if group is None:
            group = {}
            groups.append(group)
        group[name] = version
    return [set(group.items()) for group in groups]


def _verify_complete(pins: set[tuple[str, str]], found: list[Found]) -> None:
    """Every package was looked up, in a database that knows the vulnerable one."""
    answered = {(each.name, each.version) for each in found}
    missing = sorted(f"{name} {version}" for name, version in pins - answered)
    if missing:
        raise NotAuditedError(f"{len(missing)} of {len(pins)} packages were not audited: {', '.join(missing[:5])}")
    if not any((each.name, each.version) == KNOWN_BAD and each.vulnerabilities for each in found):
        raise NotAuditedError(
            f"the database knows no vulnerability of {' '.join(KNOWN_BAD)}, so it holds no data to audit with"
        )


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
