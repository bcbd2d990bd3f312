"""`adopt`: writes what is observed into a spec, so that the plan after it is empty.

::

    adoption  changes of a plan, put into the spec the other way round (`adopted`)
    body      the ARM body of the spec, as the resource is
    access    what ARM has no words for, as Azure DevOps has it
    splice    other values in the text of a file, every other line untouched (`rewritten`)
    pairing   which entry of a list is which of the list before
    tree      the places of keys and values in that text
    rounds    a pool: plan, adopt, plan again, until nothing follows (`adopt_pool`)
    words     what is said about it
    patch     a unified diff

Nothing here can write to Azure.
"""

from __future__ import annotations

from reconciler.tools.adopt.adoption import Adoption, Chosen, adopted
from reconciler.tools.adopt.errors import CannotAdopt
from reconciler.tools.adopt.splice import CannotWrite, rewritten

__all__ = ["Adoption", "CannotAdopt", "CannotWrite", "Chosen", "adopted", "rewritten"]
