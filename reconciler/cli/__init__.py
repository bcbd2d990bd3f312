"""The command line, `python -m reconciler`: options, screens and exit codes around the same engine as everywhere.

It decides nothing about pools. What is decided lies in the core; what reaches outside lies in adapters, which
`reconciler.bootstrap` puts together.
"""

from reconciler.cli.app import app
from reconciler.cli.boundary import main

__all__ = ["app", "main"]
