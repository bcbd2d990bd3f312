"""Receivers as settings name them: addresses, keys and filters, and one clear line for each problem."""

from __future__ import annotations

import base64

import pytest

from reconciler.config.notify import NoticeFilter
from reconciler.config.triggers import Hosting, secrets
from reconciler.config.variables import SettingsInvalid

KEY = "whsec_" + base64.b64encode(b"k" * 32).decode()
CANARY = "canary-4e2d"
TEAMS = f"https://prod-1.westeurope.logic.azure.com:443/workflows/{CANARY}/triggers/manual/paths/invoke?sig={CANARY}"
SLACK = f"https://hooks.slack.com/services/T0/B0/{CANARY}"


def read(**given: str) -> Hosting:
    return Hosting.read({f"RECONCILER_NOTIFY_{name}": text for name, text in given.items() if name != "loopback"} | (
        {"RECONCILER_ALLOW_LOOPBACK": "1"} if "loopback" in given else {}
    ))  # fmt: skip


def problem(**given: str) -> str:
    with pytest.raises(SettingsInvalid) as found:
        read(**given)
    assert len(found.value.problems) == 1
    assert CANARY not in str(found.value)
    return found.value.problems[0]


def test_all_three_receivers_are_read_and_shown_to_no_one() -> None:
    found = read(TEAMS=TEAMS, SLACK=SLACK, WEBHOOK=f"https://events.example.com/{CANARY}", WEBHOOK_SECRET=KEY)
    assert [one.name for one in found.notify] == ["teams", "slack", "webhook"]
    assert [one.keys for one in found.notify] == [(), (), (b"k" * 32,)]
    assert CANARY not in repr(found)
    assert "kkkk" not in repr(found)
    assert read().notify == ()
    names = {f"RECONCILER_NOTIFY_{name}": f"{name}-secret" for name in ("TEAMS", "SLACK", "WEBHOOK", "WEBHOOK_SECRET")}
    assert set(names.values()) <= set(secrets(names))


@pytest.mark.parametrize(
    "url",
    [
        "https://default0a.16.environment.api.powerplatform.com:443/powerautomate/automations/direct/workflows/x?sig=y",
        "https://prod-00.usgovtexas.logic.azure.us/workflows/x",
    ],
)
def test_workflows_have_several_hosts(url: str) -> None:
    assert len(read(TEAMS=url).notify) == 1


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"TEAMS": f"https://contoso.webhook.office.com/webhookb2/{CANARY}"}, "classic connector"),
        ({"TEAMS": f"https://logic.azure.com.evil.example/{CANARY}"}, "no host of Teams workflows"),
        ({"TEAMS": TEAMS.replace("https", "http")}, "is not https"),
        ({"SLACK": f"https://hooks.slack.com.evil.example/{CANARY}"}, "no host of Slack"),
        ({"SLACK": f"https://hooks.slack.com@evil.example/{CANARY}"}, "holds a user"),
        ({"SLACK": f"https://hooks.slack.com\\@evil.example/{CANARY}"}, "not a URL|backslash"),
        ({"SLACK": f"{CANARY}"}, "not a URL"),
        ({"SLACK": f"https://hooks.slack.com:port/{CANARY}"}, "not a URL"),
        ({"SLACK": f"http://127.0.0.1/{CANARY}"}, "RECONCILER_ALLOW_LOOPBACK"),
        ({"WEBHOOK": f"https://169.254.169.254/{CANARY}", "WEBHOOK_SECRET": KEY}, "address in numbers"),
        ({"WEBHOOK": f"https://2852039166/{CANARY}", "WEBHOOK_SECRET": KEY}, "address in numbers"),
        ({"WEBHOOK": f"https://0xa9.254.43518/{CANARY}", "WEBHOOK_SECRET": KEY}, "address in numbers"),
        ({"WEBHOOK": f"https://[fd00::1]/{CANARY}", "WEBHOOK_SECRET": KEY}, "address in numbers"),
        ({"WEBHOOK": f"ftp://events.example.com/{CANARY}", "WEBHOOK_SECRET": KEY}, "is not https"),
        ({"WEBHOOK": f"https://events.example.com/{CANARY}"}, "WEBHOOK_SECRET: not set"),
        ({"WEBHOOK": f"https://events.example.com/{CANARY}", "WEBHOOK_SECRET": CANARY}, "no key of 24 to 64 bytes"),
        ({"WEBHOOK": "https://events.example.com/", "WEBHOOK_SECRET": f"whsec_{CANARY}!"}, "no key of 24 to 64"),
        ({"WEBHOOK": "https://events.example.com/", "WEBHOOK_SECRET": f"whsec_{CANARY}é"}, "no key of 24 to 64"),
        ({"WEBHOOK": "https://events.example.com/", "WEBHOOK_SECRET": f"{CANARY}\udcff"}, "no key of 24 to 64"),
        ({"WEBHOOK_SECRET": KEY}, "WEBHOOK_SECRET: set, .* signs nothing"),
        ({"WEBHOOK_SECRET_2": KEY}, "WEBHOOK_SECRET_2: set, .* signs nothing"),
        ({"TEAMS_FILTER": " ; "}, "names nothing; leave it out for all notices"),
        ({"TEAMS_FILTER": "kinds=,"}, "is none of kinds=…"),
        ({"TEAMS_FILTER": "kinds=stalled; kinds=drift"}, "kinds= is given twice"),
        ({"TEAMS": f"@Microsoft.KeyVault(SecretUri=https://v/secrets/{CANARY})"}, "Key Vault"),
        ({"TEAMS_FILTER": "kinds=stalled,nonsense"}, "'nonsense' is no kind of notice: fight, refused"),
        ({"TEAMS_FILTER": "kind=stalled"}, "is none of kinds=…, organizations=…, pools=…"),
        ({"PAGE": "https://page.example.com/?a=b"}, "no address of a page"),
        ({"PAGE": "https://page.example.com/|x>"}, "no address of a page"),
        ({"TEAM": TEAMS}, "the nearest is RECONCILER_NOTIFY_TEAMS"),
    ],
)  # fmt: skip
def test_a_problem_is_one_line_without_the_address(given: dict[str, str], text: str) -> None:
    import re  # noqa: PLC0415

    assert re.search(text, problem(**given))


def test_loopback_is_for_tests() -> None:
    assert len(read(SLACK="http://127.0.0.1:1/x", loopback="1").notify) == 1


def test_a_filter_takes_kinds_and_patterns() -> None:
    wanted = (
        read(TEAMS=TEAMS, TEAMS_FILTER="kinds=stalled, drift; organizations=fabrikam-*; pools=prod-*,Build")
        .notify[0]
        .wanted
    )
    assert wanted.takes("stalled", "Fabrikam-Prime", "PROD-1")
    assert wanted.takes("drift", "fabrikam-prime", "build")
    assert not wanted.takes("repaired", "fabrikam-prime", "prod-1")
    assert not wanted.takes("stalled", "contoso", "prod-1")
    assert not wanted.takes("stalled", "fabrikam-prime", "dev-1")
    assert NoticeFilter().takes("stalled", "", "")


def test_the_page_is_the_apps_own_unless_it_is_named() -> None:
    assert Hosting.read({"WEBSITE_HOSTNAME": "func.example.net"}).page == "https://func.example.net"
    assert read(PAGE="https://page.example.com/").page == "https://page.example.com"
    assert read().page == ""
