"""Builds the zip that is deployed: tracked files, packages for the platform in Azure, bytecode, and a list of packages.

Without bytecode a cold start would compile three times as long as it imports (measured; see docs/benchmarks.md). The
bytecode has unchecked hashes, so that unpacking, which changes times, does not invalidate it. Bytecode is for one
version of Python, so an interpreter of that version is required. The same input gives the same zip.

The list of packages is an SBOM in CycloneDX's JSON: inside the zip, and a copy beside it.
"""

from __future__ import annotations

import argparse
import csv
import fnmatch
import io
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from scripts.tracked import ROOT, copy_tracked

DEPENDENCIES = Path(".python_packages/lib/site-packages")
"""Where the Functions host looks for packages of an app."""
WWWROOT = "/home/site/wwwroot"
"""Where the Functions host on Linux keeps an app (Microsoft Learn, "Run your functions from a package file")."""
EPOCH = (1980, 1, 1, 0, 0, 0)
SBOM = "sbom.cdx.json"


def main(arguments: list[str]) -> int:
    """Build the zip, and print its size."""
    parser = argparse.ArgumentParser(prog="package", description=__doc__.partition("\n")[0])
    parser.add_argument("--python", default="3.12", help="version of the Functions app's Python (default 3.12)")
    parser.add_argument("--platform", default="x86_64-manylinux_2_28", help="platform of the wheels")
    parser.add_argument("--output", type=Path, default=ROOT / "dist" / "mdp-reconciler.zip")
    options = parser.parse_args(arguments)
    interpreter = _interpreter(options.python)
    if interpreter is None:
        sys.stderr.write(
            f"package: no python{options.python} was found, and bytecode needs it: install it, or name with --python "
            "the version of the Functions app\n"
        )
        return 1
    with tempfile.TemporaryDirectory() as folder:
        staged = Path(folder)
        copy_tracked(staged, wanted=_deployed)
        _install(staged / DEPENDENCIES, options.python, options.platform)
        _compile(staged, interpreter)
        _list_packages(staged / SBOM, options.python, options.platform)
        options.output.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(staged / SBOM, options.output.with_suffix(".cdx.json"))
        unpacked = _zip(staged, options.output)
    size = options.output.stat().st_size
    print(f"{options.output}: {size / 1e6:.1f} MB, {unpacked / 1e6:.1f} MB unpacked, Python {options.python}")  # noqa: T201 - a command
    return 0


def _interpreter(version: str) -> str | None:
    """An interpreter of this version: this one, one on the path, or one of pyenv's."""
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    found = shutil.which(f"python{version}")
    if found and subprocess.run([found, "--version"], capture_output=True, check=False).returncode == 0:  # noqa: S603 - found on the path
        return found
    kept = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python{version}"))
    return str(kept[-1]) if kept else None


def _deployed(name: str) -> bool:
    """Whether `.funcignore` does not leave this file out."""
    lines = [line.strip() for line in (ROOT / ".funcignore").read_text().splitlines()]
    return not any(_matches(name, line) for line in lines if line and not line.startswith("#"))


def _matches(name: str, pattern: str) -> bool:
    """A folder (``docs/``), or a glob over the path or the file's name."""
    if pattern.endswith("/"):
        return name.startswith(pattern)
    return fnmatch.fnmatch(name, pattern) or fnmatch.fnmatch(Path(name).name, pattern)


def _uv(*arguments: str, version: str, platform: str) -> None:
    """Run `uv pip` for a platform."""
    uv = str(Path(sys.executable).with_name("uv"))
    command = [uv, "pip", *arguments, "--quiet", "--python-version", version, "--python-platform", platform]
    subprocess.run(command, check=True)  # noqa: S603 - uv of this environment, with our own arguments


def _install(target: Path, version: str, platform: str) -> None:
    """Install the locked packages without what does not run, and say so in their own lists of files."""
    _uv(
        "install", "--target", str(target), "--only-binary", ":all:", "--require-hashes",
        "-r", str(ROOT / "requirements.txt"), version=version, platform=platform,
    )  # fmt: skip
    for leftover in (*target.rglob("tests"), *target.rglob("__pycache__"), target / "bin"):
        shutil.rmtree(leftover, ignore_errors=True)
    for record in target.glob("*.dist-info/RECORD"):
        # A command of a package names this machine's Python, so its hash differs from one machine to the next.
        rows = [
            row for row in csv.reader(io.StringIO(record.read_text(encoding="utf-8"))) if (target / row[0]).is_file()
        ]
        with record.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)


def _list_packages(sbom: Path, version: str, platform: str) -> None:
    """The packages of `requirements.txt` that this platform gets, with their hashes, as CycloneDX."""
    with tempfile.TemporaryDirectory() as folder:
        pinned = Path(folder, "requirements.txt")
        _uv(
            "compile", str(ROOT / "requirements.txt"), "--no-deps", "--generate-hashes", "--no-header", "--no-annotate",
            "--output-file", str(pinned), version=version, platform=platform,
        )  # fmt: skip
        subprocess.run(  # noqa: S603 - cyclonedx-py of this environment, with our own arguments
            [
                str(Path(sys.executable).with_name("cyclonedx-py")), "requirements", str(pinned),
                "--pyproject", str(ROOT / "pyproject.toml"), "--mc-type", "application", "--output-reproducible",
                "--output-format", "JSON", "--spec-version", "1.6", "--output-file", str(sbom),
            ],
            check=True, capture_output=True,
        )  # fmt: skip


def _compile(staged: Path, interpreter: str) -> None:
    subprocess.run(  # noqa: S603 - the interpreter found above
        [
            interpreter,
            "-W",
            "ignore",
            "-m",
            "compileall",
            "-q",
            # One process and a fixed order: what a process compiled before may show in the bytecode.
            "-j",
            "1",
            "--invalidation-mode",
            "unchecked-hash",
            # Bytecode names its source file: that of the app in Azure, not of a temporary folder.
            "-s",
            str(staged),
            "-p",
            WWWROOT,
            str(staged),
        ],
        env={**os.environ, "PYTHONHASHSEED": "0"},
        check=False,  # a package may carry files for other versions of Python; what matters is imported by a test
        stdout=subprocess.DEVNULL,
    )


def _zip(staged: Path, output: Path) -> int:
    """Pack in a fixed order with fixed times; the number of bytes before packing."""
    unpacked = 0
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for path in sorted(file for file in staged.rglob("*") if file.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(staged).as_posix(), EPOCH)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())
            unpacked += path.stat().st_size
    return unpacked


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
