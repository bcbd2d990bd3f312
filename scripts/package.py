"""Builds the zip that is deployed: code, dependencies for the platform in Azure, and bytecode for both.

Without bytecode a cold start would compile three times as long as it imports (measured; see docs/benchmarks.md). The
bytecode has unchecked hashes, so that unpacking, which changes times, does not invalidate it, and the zip is the same
for the same input. Bytecode is for one version of Python, so an interpreter of that version is required.
"""

from __future__ import annotations

import argparse
import fnmatch
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEPENDENCIES = Path(".python_packages/lib/site-packages")
"""Where the Functions host looks for packages of an app."""
WWWROOT = "/home/site/wwwroot"
"""Where the Functions host on Linux keeps an app (Microsoft Learn, "Run your functions from a package file")."""
EPOCH = (1980, 1, 1, 0, 0, 0)


def main(arguments: list[str]) -> int:
    """Build the zip, and print its size."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
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
        for path in _files():
            (staged / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / path, staged / path)
        _install(staged / DEPENDENCIES, options.python, options.platform)
        _compile(staged, interpreter)
        options.output.parent.mkdir(parents=True, exist_ok=True)
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


def _files() -> Iterator[Path]:
    """Files of the repository that `.funcignore` does not leave out."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - git by name
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    ignored = [line.strip() for line in (ROOT / ".funcignore").read_text().splitlines()]
    patterns = [line for line in ignored if line and not line.startswith("#")]
    for name in listed:
        if (ROOT / name).is_file() and not any(_matches(name, pattern) for pattern in patterns):
            yield Path(name)


def _matches(name: str, pattern: str) -> bool:
    """A folder (``docs/``), or a glob over the path or the file's name."""
    if pattern.endswith("/"):
        return name.startswith(pattern)
    return fnmatch.fnmatch(name, pattern) or fnmatch.fnmatch(Path(name).name, pattern)


def _install(target: Path, version: str, platform: str) -> None:
    subprocess.run(  # noqa: S603 - uv of this environment, with our own arguments
        [
            str(Path(sys.executable).with_name("uv")), "pip", "install", "--quiet", "--target", str(target),
            "--python-version", version, "--python-platform", platform, "--only-binary", ":all:",
            "--require-hashes", "-r", str(ROOT / "requirements.txt"),
        ],
        check=True,
    )  # fmt: skip
    for leftover in (*target.rglob("tests"), *target.rglob("__pycache__"), target / "bin"):
        shutil.rmtree(leftover, ignore_errors=True)


def _compile(staged: Path, interpreter: str) -> None:
    subprocess.run(  # noqa: S603 - the interpreter found above
        [
            interpreter,
            "-W",
            "ignore",
            "-m",
            "compileall",
            "-q",
            "-j",
            "0",
            "--invalidation-mode",
            "unchecked-hash",
            # Bytecode names its source file: that of the app in Azure, not of a temporary folder.
            "-s",
            str(staged),
            "-p",
            WWWROOT,
            str(staged),
        ],
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
