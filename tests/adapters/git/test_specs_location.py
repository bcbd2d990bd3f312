"""The grammar of RECONCILER_SPECS."""

from __future__ import annotations

import pytest

from reconciler.adapters.git.location import Location
from reconciler.errors import SpecInvalid

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("text", "location"),
    [
        ("./specs", Location("./specs", remote=False, git=False)),
        ("./repo#", Location("./repo", remote=False, git=True)),
        ("./repo#main:pools", Location("./repo", remote=False, git=True, ref="main", prefix="pools")),
        ("./repo#feature/x:/a//b/./", Location("./repo", remote=False, git=True, ref="feature/x", prefix="a/b")),
        ("file:///srv/my%20specs.git", Location("/srv/my specs.git", remote=False, git=True)),
        ("https://Host/org/specs.git#v1.2", Location("https://host/org/specs.git", remote=True, git=True, ref="v1.2")),
        ("https://host:8443/specs/#:pools", Location("https://host:8443/specs", remote=True, git=True, prefix="pools")),
        ("https://[::1]/specs", Location("https://[::1]/specs", remote=True, git=True)),
        (
            "https://fabrikam@dev.azure.com/fabrikam/prj/_git/specs",
            Location("https://dev.azure.com/fabrikam/prj/_git/specs", remote=True, git=True),
        ),
    ],
)
def test_every_form_of_the_setting_is_read(text: str, location: Location) -> None:
    assert Location.parse(text) == location


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "RECONCILER_SPECS: names no folder and no git URL"),
        ("#main", "RECONCILER_SPECS: names no folder and no git URL"),
        ("git@github.com:org/specs.git", "RECONCILER_SPECS: ssh is not spoken here; use https, file or a path"),
        ("ssh://host/specs", "RECONCILER_SPECS: ssh is not spoken here; use https, file or a path"),
        ("./repo#a b", "RECONCILER_SPECS: 'a b' is no branch, tag or commit id"),
        ("./repo#-x", "RECONCILER_SPECS: '-x' is no branch, tag or commit id"),
        ("./repo#a..b", "RECONCILER_SPECS: 'a..b' is no branch, tag or commit id"),
        ("./repo#main:../x", "RECONCILER_SPECS: '../x' is no folder below the root"),
        ("./repo#main:a\\b", "RECONCILER_SPECS: 'a\\\\b' is no folder below the root"),
        ("https://host", "RECONCILER_SPECS: https://host names no repository, or has a query"),
        ("https://host/x?token=hush", "RECONCILER_SPECS: https://host names no repository, or has a query"),
        (
            "https://me:hush@host/x",
            "RECONCILER_SPECS: a URL must not hold credentials; set RECONCILER_GIT_TOKEN instead (https://***@host/…)",
        ),
        ("https://[x/y", "RECONCILER_SPECS: not a URL"),
        (
            "file://server/share",
            "RECONCILER_SPECS: a file URL needs an absolute path, as in file:///srv/specs.git",
        ),
    ],
)
def test_what_makes_no_sense_gets_one_clear_line(text: str, message: str) -> None:
    """The line never repeats a secret that is in the URL."""
    with pytest.raises(SpecInvalid) as caught:
        Location.parse(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(("ref", "pinned"), [(COMMIT, True), (COMMIT + COMMIT[:24], True), (COMMIT[:12], False)])
def test_only_a_full_commit_id_never_moves(ref: str, pinned: bool) -> None:
    assert Location.parse(f"./repo#{ref}").pinned is pinned
