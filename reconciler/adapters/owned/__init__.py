"""The stores of one deployment, over those of a family: documents are judged and marked, messages are marked.

    owner     which deployment a store belongs to
    state     documents: judged by `reconciler.documents.kinds`, and set aside where they are damaged
    store     all stores of a deployment, as the program uses them

`reconciler.bootstrap` puts it around every store, so no call site can leave it out.
"""
