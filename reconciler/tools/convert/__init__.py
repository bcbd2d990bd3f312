"""Pools that are written in another form, as specs: ARM templates, Bicep files, JSON of `az mdp`.

::

    files         which form a file has (`pieces`), and the reader for it
    template      ARM templates: parameters and variables are put in, other expressions named
    bicep         Bicep: the pools of a file, or a part of one; `bicep_values` reads literal values
    profiles      profile files and printed pools of `az mdp`, and anything else that the spec's own shapes know
    json_text     JSON with comments, and the line of every part
    printed       dots that stand for something, as pages print them
    piece         what a file gives (`Piece`) and what is left out of it (`LeftOut`)
    joined        pieces to drafts of specs (`drafts`)

Values are taken as they are written and never computed: what is not a literal is left out and named, a list of which
an entry is unknown as a whole. Pure.
"""

from __future__ import annotations

from reconciler.tools.convert.files import parameters_of, pieces
from reconciler.tools.convert.joined import ConvertOptions, drafts
from reconciler.tools.convert.piece import LeftOut, Piece

__all__ = ["ConvertOptions", "LeftOut", "Piece", "drafts", "parameters_of", "pieces"]
