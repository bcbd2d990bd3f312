"""Finds what a ref names among the refs that a repository has."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.errors import NotFound, Rejected


def resolve(refs: Mapping[bytes, bytes | None], ref: str, where: str) -> bytes:
    """Object id of a branch, a tag, a full ref name, or HEAD where `ref` is empty.

    git itself would prefer the tag where a branch has the same name; here that is an error, since a tag pushed by
    someone else would silently take over from the branch.
    """
    if not ref:
        head = refs.get(b"HEAD")
        if not head:
            raise NotFound(f"{where}: the repository is empty, or its HEAD names a branch that does not exist")
        return head
    names = [ref] if ref.startswith("refs/") else [f"refs/heads/{ref}", f"refs/tags/{ref}"]
    found = [target for name in names if (target := refs.get(name.encode()))]
    if len(found) > 1:
        raise Rejected(f"{where}: {ref} is a branch and a tag; write refs/heads/{ref} or refs/tags/{ref}")
    if not found:
        raise NotFound(f"{where}: no branch or tag {ref}; a commit is named by its full id")
    return found[0]
