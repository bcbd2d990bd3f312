from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

import emulator
from emulator.switch import Switch, Switches
from emulator.switches import TABLE, markdown

TESTS = Path(__file__).parent
PAGE = TESTS.parents[1] / "docs" / "emulator.md"


def test_the_page_prints_the_table_as_it_is() -> None:
    """`python -m emulator --list-switches markdown` prints what belongs between the marks."""
    found = re.search(r"<!-- switches -->\n(.*?)\n<!-- /switches -->", PAGE.read_text(), re.DOTALL)
    assert found is not None
    assert found[1] == markdown()


def test_names_are_unique_and_say_their_plane() -> None:
    names = [switch.name for switch in TABLE]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"(arm|devops)\.[a-z0-9]+(-[a-z0-9]+)*", name) for name in names)


@pytest.mark.parametrize("switch", TABLE, ids=lambda switch: switch.name)
def test_every_switch_says_what_it_decides_and_takes_its_default(switch: Switch) -> None:
    assert switch.about
    assert switch.known
    assert switch.source
    assert switch.read(switch.default) == switch.default
    assert not switch.choices or len(switch.choices) > 1


@pytest.mark.parametrize("switch", TABLE, ids=lambda switch: switch.name)
def test_every_switch_is_turned_in_some_test(switch: Switch) -> None:
    """And every word that may stand in it is spoken there."""
    short = switch.name.partition(".")[2]
    texts = [path.read_text() for path in TESTS.rglob("test_*.py") if path.name != Path(__file__).name]
    turning = [text for text in texts if f'"{switch.name}"' in text or f'"{short}"' in text]
    assert turning, switch.name
    spoken = "\n".join(turning)
    assert [word for word in switch.choices if word != switch.default and f'"{word}"' not in spoken] == []


def test_a_set_of_switches_reads_like_a_mapping() -> None:
    switches = Switches(TABLE)
    assert len(switches) == len(TABLE)
    assert dict(switches)["arm.page-size"] == 100
    switches.set("arm.page-size", 5)
    assert switches.number("arm.page-size") == 5
    switches.reset()
    assert switches.number("arm.page-size") == 100


@pytest.mark.parametrize(
    ("value", "good"), [("on", True), (False, False), ("yes", True), ("no", False), ("maybe", None), (2, None)]
)
def test_on_and_off_have_their_words(value: str, good: bool | None) -> None:
    switch = Switch("arm.x", False, "a", "b", "c")
    if good is None:
        with pytest.raises(ValueError, match=r"on \| off"):
            switch.read(value)
    else:
        assert switch.read(value) is good


def test_a_number_is_not_a_truth() -> None:
    with pytest.raises(ValueError, match="whole number"):
        Switch("arm.x", 1, "a", "b", "c").read(True)
    assert Switch("arm.x", "a", "b", "c", "d").read(5) == "5"


def test_the_estate_on_the_page_works() -> None:
    """A reader who copies it gets both planes at once."""
    found = re.search(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found is not None
    with emulator.start(yaml.safe_load(found[1])) as running:
        state = running.do.state()
    assert state["subscriptions"][0]["pools"][0]["name"] == "fabrikam-pool"
    assert state["organizations"][0]["agentPools"][0]["queues"][0]["project"] == "dev"
