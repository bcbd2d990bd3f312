"""Links to commits and files: at the two Git hosts, and nowhere else."""

from __future__ import annotations

import pytest

from reconciler.service.page import links
from tests.service.page.kit import REVISION


@pytest.mark.parametrize(("specs", "commit", "file"), [
    ("https://github.com/fabrikam/pools.git#main:specs", "https://github.com/fabrikam/pools/commit/", "/blob/"),
    ("https://dev.azure.com/fabrikam/infra/_git/pools#main", "https://dev.azure.com/fabrikam/infra/_git/pools/commit/", "?path=/specs/a%20b.yaml&version=GC"),
    ("https://fabrikam.visualstudio.com/infra/_git/pools", "https://fabrikam.visualstudio.com/infra/_git/pools/commit/", "?path="),
    ("https://ann:canary-token@github.com/fabrikam/pools", "https://github.com/fabrikam/pools/commit/", "/blob/"),
])  # fmt: skip
def test_commits_and_files_are_linked_at_hosts_that_are_known(specs: str, commit: str, file: str) -> None:
    repository = links.repository_of(specs)

    assert links.commit(repository, REVISION) == f"{commit}{REVISION}"
    assert file in links.file(repository, REVISION, "specs/a b.yaml")
    assert "canary" not in repository


@pytest.mark.parametrize("specs", [
    "", ".", "specs", "/folder#main:specs", "http://github.com/fabrikam/pools", "https://github.com.evil.example/a/b",
    "https://evil.example/github.com/_git/x", "git@github.com:fabrikam/pools", "javascript:alert(1)",
])  # fmt: skip
def test_elsewhere_nothing_is_linked(specs: str) -> None:
    repository = links.repository_of(specs)

    assert links.commit(repository, REVISION) == links.file(repository, REVISION, "a.yaml") == ""


@pytest.mark.parametrize("revision", ["", "../../x", "a b", '"><script>'])
def test_no_link_is_made_of_a_revision_that_is_none(revision: str) -> None:
    assert links.commit("https://github.com/fabrikam/pools", revision) == ""
