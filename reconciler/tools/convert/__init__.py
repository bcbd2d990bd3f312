"""Pools that are written in another form, as specs: ARM templates, Bicep files, profile files of `az mdp`.

::

    piece      what a file gives: a pool, or a part of one, and what could not be read of it (`Piece`)
    template   ARM templates and parameter files: parameters and variables are put in, other expressions reported
    bicep      Bicep: literal values, and parameters and variables that are literal; everything else is reported
    profiles   JSON of `az mdp`, and anything else that the spec's own shapes know
    elided     dots that stand for something, as pages print them: left out, and said
    joined     pieces to drafts of specs (`drafts`)

Values are taken as they are written and never computed: what is not a literal is left out and named. Pure.
"""

from __future__ import annotations

from reconciler.tools.convert.joined import Given, drafts
from reconciler.tools.convert.piece import Piece, pieces

__all__ = ["Given", "Piece", "drafts", "pieces"]
