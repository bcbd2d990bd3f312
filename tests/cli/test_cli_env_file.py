"""`--env-file`: read where it is named and nowhere else, literally, and never what limits the authors of specs."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.cli.env_file import OWNERS, read
from reconciler.config.settings import SettingsInvalid
from tests.cli.process import Desk

HOSTILE = """\
RECONCILER_STATE=https://canary.evil.example
RECONCILER_SPECS=https://canary.evil.example/specs.git
RECONCILER_POLICY=canary.yaml
RECONCILER_BUDGET=canary
RECONCILER_GIT_HOST=canary.evil.example
HTTPS_PROXY=http://canary.evil.example
"""
COMMANDS = (
    ("validate", "--specs", "specs"),
    ("plan", "--specs", "specs"),
    ("apply", "--specs", "specs"),
    ("status",),
    ("explain", "fabrikam-managed-pool", "Web"),
    ("doctor",),
    ("import", "--to", "found"),
    ("probe",),
    ("onboard", "fabrikam-prime", "--identity", "22222222-3333-4444-5555-666666666666"),
    ("serve", "--host", "0.0.0.0"),
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "my.env"


def problems(file: Path, specs: str = "") -> list[str]:
    """What is wrong with the file, each line without the folder."""
    with pytest.raises(SettingsInvalid) as caught:
        read(file, specs)
    return [line.replace(f"{file.parent}/", "") for line in caught.value.problems]


@pytest.mark.parametrize("command", COMMANDS, ids=[words[0] for words in COMMANDS])
def test_no_command_reads_a_file_that_it_was_not_given(desk: Desk, command: tuple[str, ...]) -> None:
    """A pull request can contain a `.env`: it once sent the token for storage to a host of its choice."""
    desk.spec()
    (desk.folder / ".env").write_text(HOSTILE)
    no_sign_in = {"RECONCILER_CREDENTIAL": "static", "RECONCILER_ARM_TOKEN": "a"}

    ended = desk.run(*command, **no_sign_in)

    assert "canary" not in ended.out + ended.err
    assert "RECONCILER_DEVOPS_TOKEN: not set" in ended.err or "FUNCTION_KEY" in ended.err


def test_a_file_that_was_named_is_checked_as_the_environment_is(desk: Desk) -> None:
    """The same lines as from the environment, and the ones of the file itself."""
    (desk.folder / "my.env").write_text(HOSTILE.replace("HTTPS_PROXY", "IGNORED"))

    ended = desk.run("--env-file", "my.env", "plan", RECONCILER_GIT_TOKEN="secret")

    assert ended.code == 1
    assert [line.split(": ")[1] for line in ended.errors] == [
        "RECONCILER_STATE",
        "RECONCILER_BUDGET",
        "RECONCILER_GIT_TOKEN",
    ]
    assert "secret" not in ended.err


def test_the_option_stands_before_the_command(desk: Desk) -> None:
    ended = desk.run("plan", "--env-file", "my.env")

    assert ended.code == 1
    assert "--env-file stands before the command: python -m reconciler --env-file FILE COMMAND" in ended.err


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("RECONCILER_SPECS=specs", "specs"),
        ("export RECONCILER_SPECS=specs", "specs"),
        ("RECONCILER_SPECS = specs  # a comment", "specs"),
        ("RECONCILER_SPECS='a b'", "a b"),
        ('RECONCILER_SPECS="a b"', "a b"),
        ("RECONCILER_SPECS=", ""),
        ("RECONCILER_SPECS=${HOME}/specs", "${HOME}/specs"),
        ("RECONCILER_SPECS='${HOME}'", "${HOME}"),
        ('RECONCILER_SPECS="${RECONCILER_PAT:-x}"', "${RECONCILER_PAT:-x}"),
        ("RECONCILER_SPECS=$HOME", "$HOME"),
        ("RECONCILER_SPECS=`id`", "`id`"),
        ("RECONCILER_SPECS=$(id)", "$(id)"),
        ("RECONCILER_SPECS=a\r\n", "a"),
        ("\ufeffRECONCILER_SPECS=a", "a"),
        ("# a comment\n\nRECONCILER_SPECS=a=b", "a=b"),
        ("RECONCILER_SPECS=a\nRECONCILER_SPECS=b", "b"),
    ],
)
def test_a_value_is_what_is_written(file: Path, monkeypatch: pytest.MonkeyPatch, line: str, value: str) -> None:
    """Nothing is interpolated: a value cannot pick up a secret of the environment and carry it into a URL."""
    monkeypatch.setenv("RECONCILER_PAT", "canary")
    file.write_text(line, encoding="utf-8")

    assert read(file) == {"RECONCILER_SPECS": value}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"RECONCILER_PAT", ["my.env:1: not NAME=VALUE"]),
        (b"A=1\ncanary secret\nB=2\n", ["my.env:2: not NAME=VALUE"]),
        (b"A=1\n\n\nRECONCILER_PAT='canary\n", ["my.env:4: not NAME=VALUE"]),
        (b"RECONCILER_PAT=\xff", ["--env-file: my.env: not a text in UTF-8"]),
    ],
)
def test_a_line_that_cannot_be_read_is_named_and_not_shown(file: Path, text: bytes, found: list[str]) -> None:
    file.write_bytes(text)

    assert problems(file) == found


@pytest.mark.parametrize(("name", "why"), [("missing.env", "No such file or directory"), (".", "Is a directory")])
def test_a_file_that_is_not_there_is_an_error(tmp_path: Path, name: str, why: str) -> None:
    with pytest.raises(SettingsInvalid, match=f"--env-file: .*: {why}"):
        read(tmp_path / name)


@pytest.mark.parametrize(
    "name",
    [
        "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
        "SSL_CERT_FILE", "SSL_CERT_DIR", "AZURE_CLIENT_SECRET", "AZURE_AUTHORITY_HOST", "AZURE_TENANT_ID",
        "IDENTITY_ENDPOINT", "IDENTITY_HEADER", "MSI_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT",
    ],
)  # fmt: skip
def test_what_libraries_read_is_not_taken_from_a_file(file: Path, name: str) -> None:
    """Ignored in silence it would be a riddle; applied, a file could name a proxy and the authority for it."""
    file.write_text(f"A=1\n{name}=canary\n")

    assert problems(file) == [f"my.env:2: {name} has an effect in the environment only; set it there"]


@pytest.mark.parametrize("name", OWNERS)
@pytest.mark.parametrize("place", ["", "deep/er"])
def test_a_file_in_a_work_tree_does_not_limit_its_authors(desk: Desk, name: str, place: str) -> None:
    """Tracked or not: what matters is that a commit can put it there."""
    desk.git("init", "--quiet")
    folder = desk.folder / place
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "my.env").write_text(f"{name}=x\nRECONCILER_BUDGET=60\n")

    found = problems(folder / "my.env")

    assert found == [f"my.env:1: {name} cannot be set by a file in a Git work tree; set it in the environment"]


@pytest.mark.parametrize("name", OWNERS)
@pytest.mark.parametrize("where", ["option", "environment", "file", "file with a ref"])
def test_a_file_below_the_specs_does_not_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, where: str
) -> None:
    """A folder of specs need not be a repository on this machine."""
    specs = tmp_path / "specs"
    (specs / "team").mkdir(parents=True)
    file = specs / "team" / "my.env"
    monkeypatch.delenv("RECONCILER_SPECS", raising=False)
    lines = [f"{name}=x"]
    if where == "environment":
        monkeypatch.setenv("RECONCILER_SPECS", str(specs))
    if where.startswith("file"):
        lines.append(f"RECONCILER_SPECS={specs}" + ("#main:pools" if "ref" in where else ""))
    file.write_text("\n".join(lines))

    found = problems(file, str(specs) if where == "option" else "")

    assert found == [f"my.env:1: {name} cannot be set by a file in the folder of the specs; set it in the environment"]


def test_a_link_does_not_lead_out_of_the_work_tree(desk: Desk, tmp_path: Path) -> None:
    """The file counts where it is, however it was named."""
    work = tmp_path / "work"
    work.mkdir()
    (work / ".git").mkdir()
    (work / "real.env").write_text("RECONCILER_POLICY=x\n")
    link = tmp_path / "my.env"
    link.symlink_to(work / "real.env")

    assert problems(link) == [
        "my.env:1: RECONCILER_POLICY cannot be set by a file in a Git work tree; set it in the environment"
    ]


@pytest.mark.parametrize("name", OWNERS)
def test_a_file_of_the_deployment_may_set_everything(file: Path, name: str) -> None:
    file.write_text(f"{name}=x\nRECONCILER_SPECS=/srv/specs\n")

    assert read(file)[name] == "x"
