"""The record of writes on the pages: what was written, what came of it, and where it cannot be read."""

from __future__ import annotations

import re
from typing import Any

from reconciler.documents import moment
from reconciler.engine.status import Truth
from reconciler.survey.names import RememberedNames
from tests.service.page.kit import REVISION, Site, entry


def record(site: Site, *entries: dict[str, Any], chain: str = "devops/fabrikam-prime") -> None:
    site.store.record.append(chain, [{"at": moment(site.ago(minutes=60 - n)), **one} for n, one in enumerate(entries)])


def test_the_record_is_shown_newest_first_with_before_and_after(site: Site) -> None:
    record(
        site,
        entry(1, before="closed", actor={"confidence": "probably by", "name": "Dan"}),
        {"kind": "result", "of": "r.1", "outcome": "confirmed", "pool": "build-pool"},
        {"kind": "proof", "of": "r.1", "outcome": "verified", "pool": "build-pool"},
        entry(2, pool="test-pool"),
        entry(3, details=[{"path": "tags.owner", "before": {"a": 1}, "after": None, "risk": "settings"}]),
        {"kind": "unknown of another release"},
    )
    found = [" ".join(one.text.split()) for one in site.dom("/pools/build-pool").all("li", data_run="r")]

    assert [re.findall(r"write \d", one) for one in found] == [["write 3"], ["write 1"]]
    assert 'tags.owner before {"a": 1} after nothing' in found[0]
    assert "before closed after all pipelines" in found[1]
    assert "confirmed, verified" in found[1]
    assert "probably by Dan" in found[1]
    assert "not known" in found[0]
    assert f"commit {REVISION[:10]}" in found[0]


def test_the_record_of_a_project_is_its_own(site: Site) -> None:
    record(site, entry(1), entry(2, place={"organization": "fabrikam-prime", "project": "Api"}))
    project = "/pools/build-pool?organization=fabrikam-prime&project="

    assert "write 1" in site.dom(f"{project}web").text
    assert "write 2" not in site.dom(f"{project}web").text
    assert "write 2" in site.dom(f"{project}Api").text
    assert "write 2" in site.dom("/pools/build-pool?organization=fabrikam-prime").text


def test_a_long_record_is_cut_and_an_older_one_asked_for(site: Site) -> None:
    site.store.record.append(
        "devops/fabrikam-prime", [{**entry(0, subject="long ago"), "at": moment(site.ago(days=20))}]
    )
    record(site, *(entry(n) for n in range(1, 60)))
    dom = site.dom("/pools/build-pool")

    assert len(dom.all("li", data_run="r")) == 50
    assert "9 older writes are not shown" in dom.text
    assert "long ago" not in dom.text
    assert "10 older writes are not shown" in site.dom("/pools/build-pool?days=30").text


def test_a_damaged_record_is_said_and_the_rest_of_the_page_stands(site: Site) -> None:
    record(site, entry(1))
    with site.store._file.begin() as connection:
        connection.execute("UPDATE record SET entry = '{}'")
    text = site.dom("/pools/build-pool").text

    assert "The record cannot be read: devops/fabrikam-prime" in text
    assert "InSync" in text


def test_a_retired_pool_keeps_its_record_and_offers_to_forget_it(site: Site) -> None:
    site.status(
        "retired-pool",
        Truth.UNKNOWN,
        "NotInSpecs",
        remembered=RememberedNames(pools={"fabrikam-prime/retired-pool": 7}),
    )
    record(site, entry(1, pool="retired-pool"))
    dom = site.dom("/pools/retired-pool")

    assert "write 1" in dom.text
    assert "mdp-reconciler forget retired-pool" in dom.text
    assert dom.all("button") == []
