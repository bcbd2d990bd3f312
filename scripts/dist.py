"""Builds the wheel and the source archive from tracked files; the same commit gives the same bytes.

setuptools takes the time of a build from SOURCE_DATE_EPOCH for the wheel alone, so the source archive is packed again
with the time of the commit, without the owner of the files.
"""

from __future__ import annotations

import argparse
import gzip
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from scripts.tracked import ROOT, copy_tracked, git


def main(arguments: list[str]) -> int:
    """Build both, and print their names."""
    parser = argparse.ArgumentParser(prog="dist", description=__doc__.partition("\n")[0])
    parser.add_argument("--output", type=Path, default=ROOT / "dist")
    output = parser.parse_args(arguments).output.resolve()
    seconds = int(git("log", "-1", "--format=%ct"))
    with tempfile.TemporaryDirectory() as folder:
        source, built = Path(folder, "source"), Path(folder, "built")
        copy_tracked(source)
        _build(source, built, seconds)
        output.mkdir(parents=True, exist_ok=True)
        for path in sorted(built.iterdir()):
            if path.name.endswith(".tar.gz"):
                repack(path, output / path.name, seconds)
            elif path.suffix == ".whl":
                (output / path.name).write_bytes(path.read_bytes())
            else:
                continue
            print(output / path.name)  # noqa: T201 - a command
    return 0


def _build(source: Path, built: Path, seconds: int) -> None:
    """The source archive, and the wheel from it, with build tools by hash."""
    subprocess.run(  # noqa: S603 - uv of this environment, with our own arguments
        [
            str(Path(sys.executable).with_name("uv")), "build", "--quiet", "--build-constraints",
            "requirements-build.txt", "--require-hashes", "--out-dir", str(built),
        ],
        cwd=source, env={**os.environ, "SOURCE_DATE_EPOCH": str(seconds)}, check=True,
    )  # fmt: skip


def repack(archive: Path, target: Path, seconds: int) -> None:
    """Write a source archive again in the order of its names, with one time and without owners."""
    with (
        tarfile.open(archive) as read,
        target.open("wb") as file,
        gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=seconds) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as written,
    ):
        for member in sorted(read.getmembers(), key=lambda each: each.name):
            entry = tarfile.TarInfo(member.name)
            entry.type, entry.size, entry.mtime = member.type, member.size, seconds
            entry.mode = 0o755 if member.isdir() else 0o644
            written.addfile(entry, read.extractfile(member) if member.isfile() else None)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
