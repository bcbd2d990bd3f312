"""Fails where a Python file has outgrown what one reads in one sitting."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

LIMIT = 400


def main() -> int:
    """List every tracked Python file above the limit; exit code 1 where there is one."""
    names = subprocess.run(["git", "ls-files", "*.py"], capture_output=True, text=True, check=True).stdout.split()
    sizes = {name: len(Path(name).read_text().splitlines()) for name in names if Path(name).exists()}
    large = {name: size for name, size in sizes.items() if size > LIMIT}
    for name, size in sorted(large.items()):
        sys.stderr.write(f"{name}: {size} lines, the limit is {LIMIT}: split it by what changes together\n")
    return 1 if large else 0


if __name__ == "__main__":
    raise SystemExit(main())
