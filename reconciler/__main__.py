"""`python -m reconciler`, and the command `mdp-reconciler` of the installed package."""

from __future__ import annotations

import sys


def start() -> int:
    """Run the command line; a package that is not installed is one line with the remedy, not a traceback."""
    try:
        from reconciler.cli import main  # noqa: PLC0415 - reported below where one of its packages is missing

        return main()
    except ModuleNotFoundError as missing:
        if not missing.name or missing.name.partition(".")[0] in ("reconciler", "emulator"):
            raise
        sys.stderr.write(
            f"error: the Python package {missing.name!r} is not installed for {sys.executable}; run `make setup` in a "
            "clone and use .venv/bin/python, or install the program: uv tool install . (or pip install .)\n"
        )
        return 1


if __name__ == "__main__":
    raise SystemExit(start())
