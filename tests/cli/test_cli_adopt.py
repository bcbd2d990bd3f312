"""`adopt` at the command line: a patch, a file, a branch, or a pull request at either host."""

from __future__ import annotations

import html
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from emulator import Running
from reconciler.cli.adopt import replace_file
from reconciler.errors import Refused, Unavailable
from reconciler.plan.model import Plan
from reconciler.spec.loader import load
from reconciler.tools.adopt.rounds import AdoptionOutcome
from tests.adapters.git.git_kit import Server, Work, backend_app, serving
from tests.cli.process import POOL as SPEC
from tests.cli.process import Desk, Ended
from tests.code_hosts import azure_repos, github
from tests.code_hosts.azure_repos import AzureRepos
from tests.code_hosts.github import GitHub
from tests.code_hosts.serving import running

POOL = "fabrikam-managed-pool"
FILE = f"specs/{POOL}.yaml"


def in_sync(desk: Desk, **more: str) -> bool:
    return desk.run("plan", POOL, **more).code == 0


def repository(desk: Desk) -> Work:
    """The desk's folder as a repository."""
    work = Work(desk.folder / "repository")
    subprocess.run(["cp", "-r", str(desk.folder / "specs"), str(work.path)], check=True)
    work.git("add", ".")
    work.git("commit", "--quiet", "-m", "specs")
    return work


def test_the_patch_applies_and_then_the_plan_is_empty(online: Desk, cloud: Running) -> None:
    before = (online.folder / FILE).read_bytes()
    work = repository(online)
    cloud.do.reset_log()
    made = Desk(work.path, online.environment).run("adopt", POOL)

    assert (made.code, (online.folder / FILE).read_bytes()) == (0, before)
    assert cloud.do.count(writes=True) == 0
    assert "adopted: open access fabrikam-tailspin/Web: all pipelines → none" in made.err
    (work.path / "adopt.patch").write_text(made.out)
    work.git("apply", "--check", "adopt.patch")
    work.git("apply", "adopt.patch")
    assert in_sync(Desk(work.path, online.environment))
    assert work.git("diff", "--name-only") == FILE


@pytest.mark.parametrize("ends", [b"\r\n", b"\n"])
def test_the_patch_keeps_line_ends_and_a_missing_last_one(online: Desk, ends: bytes) -> None:
    place = online.folder / FILE
    place.write_bytes(place.read_bytes().replace(b"\n", ends).rstrip() + b"  # end")
    work = repository(online)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}  # bytes, with their line ends
    with Desk(work.path, online.surroundings()).start("adopt", POOL, options=pipes) as process:
        raw, _ = process.communicate()
    assert process.returncode == 0
    (work.path / "adopt.patch").write_bytes(raw)

    work.git("apply", "adopt.patch")

    data = (work.path / FILE).read_bytes()
    assert data.count(b"\r\n") == (data.count(b"\n") if ends == b"\r\n" else 0)
    assert in_sync(Desk(work.path, online.environment))


def test_write_changes_the_file_and_the_plan_is_empty(online: Desk) -> None:
    comments = [line for line in (online.folder / FILE).read_text().splitlines() if line.startswith("#")]
    made = online.run("adopt", POOL, "--write")

    assert (made.code, made.out) == (0, f"{FILE}: written\n")
    assert in_sync(online)
    text = (online.folder / FILE).read_text()
    assert [line for line in text.splitlines() if line.startswith("#")] == comments
    assert sorted(one.name for one in (online.folder / "specs").iterdir()) == [
        f"{POOL}.yaml",
        "fabrikam-release-pool.yaml",
    ]
    again = online.run("adopt", POOL, "--write")
    assert (again.code, again.out) == (0, "")
    assert "nothing to adopt" in again.err


def test_one_change_by_its_id_and_an_unknown_one(online: Desk) -> None:
    made = online.run("adopt", POOL, "roles:administrator:fabrikam-prime bob@fabrikam.com", "--write")
    assert made.code == 0
    assert "administrators: [ann@fabrikam.com, bob@fabrikam.com]" in (online.folder / FILE).read_text()

    unknown = online.run("adopt", POOL, "maximumConcurency")
    assert unknown.code == 1
    assert unknown.errors == [
        f"error: NotFound: {POOL}: the plan has no change 'maximumConcurency'; nearest: maximumConcurrency"
    ]


def test_what_is_not_adopted_ends_with_two_and_a_line_each(online: Desk, cloud: Running) -> None:
    cloud.do.edit("hide-project", organization="fabrikam-prime", project="fabrikam-test")
    made = online.run("adopt", POOL)

    assert made.code == 2
    assert made.errors
    assert all(line.startswith(f"error: {POOL}: not adopted: ") for line in made.errors)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--write", "--branch", "x"], "--write changes files here"),
        (["--branch", "x"], "no remote repository"),
        (["--pull-request"], "no remote repository"),
    ],
)
def test_what_makes_no_sense_is_one_clear_line(online: Desk, arguments: list[str], expected: str) -> None:
    before = (online.folder / FILE).read_bytes()
    made = online.run("adopt", POOL, *arguments)

    assert made.code == 1
    assert expected in made.err
    assert (online.folder / FILE).read_bytes() == before


@pytest.mark.parametrize(
    "name", ["..", "-x", "refs/heads/x", "a b", "x.lock", "HEAD", "a\u202eb", "a\nb", "\udc80", "x" * 9000 + "~"]
)
def test_a_branch_that_git_does_not_take_is_refused_before_anything_is_read(desk: Desk, name: str) -> None:
    made = desk.run("adopt", POOL, f"--branch={name}", RECONCILER_SPECS="https://127.0.0.1:9/specs.git")

    assert (made.code, made.out, len(made.errors)) == (1, "", 1)
    assert "is no name of a branch that git takes" in made.err
    assert len(made.err) < 600


def test_specs_at_a_commit_are_not_written(online: Desk) -> None:
    work = repository(online)
    made = online.run("adopt", POOL, "--write", RECONCILER_SPECS=f"{work.path}#main:specs")

    assert made.code == 1
    assert "the specs are read at a commit" in made.err


def test_a_paused_pool_is_adopted_like_any_other(online: Desk) -> None:
    place = online.folder / FILE
    plain = online.run("adopt", POOL)
    place.write_text(place.read_text() + "mode: pause\nuntil: 2999-01-01\nreason: moving\n")

    made = online.run("adopt", POOL)

    assert made.code == plain.code
    assert [line for line in made.out.splitlines() if line.startswith(("-", "+"))] == [
        line for line in plain.out.splitlines() if line.startswith(("-", "+"))
    ]
    assert "+++" in made.out


def test_a_file_that_changed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    place = tmp_path / "pool.yaml"
    place.write_bytes(b"mine\n")
    nothing = Plan("pool", "")
    (spec,) = load({"pool.yaml": SPEC.format(name="pool").encode()}).specs

    with pytest.raises(Refused, match="it changed since it was read"):
        replace_file(place, AdoptionOutcome(spec, b"before", b"after", nothing, nothing))
    with pytest.raises(Unavailable, match="cannot be written: No such file or directory"):
        replace_file(tmp_path / "gone" / "pool.yaml", AdoptionOutcome(spec, b"before", b"after", nothing, nothing))
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("pool.yaml", b"mine\n")]


def test_a_link_stays_one_and_its_file_is_written(tmp_path: Path) -> None:
    (tmp_path / "there.yaml").write_bytes(b"before")
    place = tmp_path / "pool.yaml"
    place.symlink_to("there.yaml")
    nothing = Plan("pool", "")
    (spec,) = load({"pool.yaml": SPEC.format(name="pool").encode()}).specs

    replace_file(place, AdoptionOutcome(spec, b"before", b"after", nothing, nothing))

    assert (place.is_symlink(), (tmp_path / "there.yaml").read_bytes()) == (True, b"after")


# --- branches and pull requests ---------------------------------------------------------------------------------


class Remote:
    """The specs in a remote repository, at one of the two hosts."""

    def __init__(self, desk: Desk, kind: str, stack: ExitStack) -> None:
        self.kind, self.work, self.desk = kind, repository(desk), desk
        self.work.git("config", "http.receivepack", "true")
        self.git: Server = stack.enter_context(serving(self._app()))
        made: Any = stack.enter_context(running(GitHub() if kind == "github" else AzureRepos()))
        self.host = made
        branches = _Branches(self.work)
        if kind == "github":
            self.kept: Any = made.add("fabrikam", "specs", branches)
            self.path = "/fabrikam/specs.git"
        else:
            self.kept = made.add("fabrikam", "infra", "specs", branches)
            self.path = "/fabrikam/infra/_git/specs"
        made.let("canary", *(github.ALL if kind == "github" else azure_repos.ALL), name="ann")

    def _app(self) -> Any:
        inner = backend_app(self.work.path)

        def app(environ: dict[str, Any], start: Any) -> Any:
            at = environ["PATH_INFO"].index("/specs") + 1
            rest = environ["PATH_INFO"][at:].partition("/")[2]
            return inner({**environ, "PATH_INFO": f"/specs.git/{rest}"}, start)

        return app

    def run(self, *arguments: str, **more: str) -> Ended:
        environment = {
            "RECONCILER_SPECS": f"{self.git.url}{self.path}#main:specs",
            "RECONCILER_GIT_TOKEN": "canary",
            "RECONCILER_GIT_API": self.host.url,
            "RECONCILER_GIT_HOST": self.git.url.partition("://")[2],
            "GIT_AUTHOR_NAME": "Ann Example",
            "GIT_AUTHOR_EMAIL": "ann@fabrikam.com",
        }
        return self.desk.run(*arguments, **{**environment, **more})


class _Branches(dict[str, str]):
    """The branches of a repository on this disk, as the host sees them."""

    def __init__(self, work: Work) -> None:
        super().__init__()
        self._work = work

    def _read(self) -> dict[str, str]:
        lines = self._work.git("for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads").splitlines()
        return dict(line.split(" ") for line in lines)

    def __contains__(self, name: object) -> bool:
        return name in self._read()

    def __getitem__(self, name: str) -> str:
        return self._read()[name]

    def values(self) -> Any:
        return self._read().values()


@pytest.fixture(params=["github", "azure-repos"])
def remote(request: pytest.FixtureRequest, online: Desk) -> Iterator[Remote]:
    with ExitStack() as stack:
        yield Remote(online, request.param, stack)


def test_a_branch_has_one_commit_with_the_file(remote: Remote) -> None:
    made = remote.run("adopt", POOL, "--branch", "adopt/monday")

    assert made.code == 0, made.err
    commit = remote.work.git("rev-parse", "adopt/monday")
    assert made.out == f"adopt/monday: commit {commit[:12]}\n"
    assert remote.work.git("diff", "--name-only", "main", "adopt/monday") == FILE
    assert remote.work.git("log", "-1", "--format=%an <%ae>%n%s", commit).splitlines() == [
        "Ann Example <ann@fabrikam.com>",
        f"Adopt 6 changes of {POOL}",
    ]
    assert remote.host.requests == []
    remote.work.git("checkout", "--quiet", "adopt/monday")
    assert in_sync(remote.desk, RECONCILER_SPECS=str(remote.work.path / "specs"))


def test_a_pull_request_says_what_it_does_and_the_next_one_is_the_same(remote: Remote) -> None:
    made = remote.run("adopt", POOL, "--pull-request")
    again = remote.run("adopt", POOL, "--pull-request")

    assert (made.code, again.code) == (0, 0), made.err + again.err
    assert made.out == again.out
    (pull,) = remote.kept.pulls
    text = pull["body"] if remote.kind == "github" else pull["description"]
    assert pull["title"] == f"Adopt 6 changes of {POOL}"
    assert "Merging this changes nothing there" in text
    assert "open access fabrikam-tailspin/Web: all pipelines → none" in html.unescape(text)
    assert f"adopt/{POOL}" in str(pull.get("head") or pull.get("sourceRefName"))
    assert "canary" not in made.out + made.err + text


@pytest.mark.parametrize(
    ("ref", "into"),
    [("release", "release"), ("refs/heads/release", "release"), ("v1", "main"), ("refs/tags/v1", "main")],
)
def test_a_pull_request_goes_into_the_branch_that_specs_are_read_from(remote: Remote, ref: str, into: str) -> None:
    remote.work.git("branch", "release")
    remote.work.git("tag", "v1")
    specs = f"{remote.git.url}{remote.path}#{ref}:specs"
    made = remote.run("adopt", POOL, "--pull-request", RECONCILER_SPECS=specs)

    assert made.code == 0, made.err
    (pull,) = remote.kept.pulls
    assert (pull["base"]["ref"] if remote.kind == "github" else pull["targetRefName"]).removeprefix(
        "refs/heads/"
    ) == into


def test_a_branch_with_something_else_is_refused_and_stays(remote: Remote) -> None:
    remote.work.git("branch", f"adopt/{POOL}")
    before = remote.work.git("rev-parse", f"adopt/{POOL}")
    made = remote.run("adopt", POOL, "--pull-request")

    assert made.code == 1
    assert f"the branch adopt/{POOL} exists, with something else; name another one" in made.err
    assert remote.work.git("rev-parse", f"adopt/{POOL}") == before
    assert remote.kept.pulls == []


def test_without_the_right_to_open_one_the_branch_is_there_and_the_reason_is_said(remote: Remote) -> None:
    remote.host.let("canary", github.READ if remote.kind == "github" else azure_repos.READ)
    made = remote.run("adopt", POOL, "--pull-request")

    assert made.code == 1
    assert f"adopt/{POOL}: commit " in made.out
    assert made.errors[0].startswith("error: Forbidden: ")
    assert remote.kept.pulls == []
