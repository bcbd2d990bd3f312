"""`python -m reconciler`."""

from __future__ import annotations

from reconciler.cli import app, main
from reconciler.demo.command import demo

app.command(epilog="Examples:\n\npython -m reconciler demo\n\npython -m reconciler demo --keep")(demo)

if __name__ == "__main__":
    raise SystemExit(main())
