from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.catalogue import Catalogue, Limit, ServiceItem, body, digest
from handlers.errors import Refused
from handlers.items import publish
from mobile_api.tables import load_catalogue
from storage.clock import SystemClock
from storage.database import Database
from tests.support.offers import TOWN_TABLES, a_catalogue, an_item

TOWN = load_catalogue(TOWN_TABLES)


def found(catalogue: Catalogue, q: str, **more: object) -> list[str]:
    return [item.code for item in catalogue.search(q, limit=100, **more).items]  # type: ignore[arg-type] # the filters are all str


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("最低生活保障", "MZ-01"),
        ("低保", "MZ-01"),
        ("吃低保", "MZ-01"),
        ("我想吃低保怎么办", "MZ-01"),
        ("dibao", "MZ-01"),
        ("DiBao", "MZ-01"),
        ("zdshbz", "MZ-01"),
        ("ｍｚ－０１", "MZ-01"),
        ("开饭店", "SJ-03"),
        ("kaifandian", "SJ-03"),
        ("kfd", "SJ-03"),
        ("结婚", "MZ-07"),
        ("jiehun", "MZ-07"),
        ("身份证", "GA-04"),
        ("宅基地 审批", "NY-01"),
        ("chongban", "RE-01"),
        ("zhongban", "RE-01"),
    ],
)
def test_people_find_what_they_mean_first(typed: str, wanted: str):
    catalogue = a_catalogue(
        *TOWN.items.values(), an_item("RE-01", "证照重办"), departments=TOWN.departments.values(), events=TOWN.events.values()
    )
    assert found(catalogue, typed)[0] == wanted


def test_the_nearer_match_comes_first():
    names = {"CC-01": "婚姻登记", "CC-02": "登记", "CC-03": "登记注册", "CC-04": "灯机维修"}
    items = [an_item(code, name) for code, name in names.items()]
    items.append(an_item("CC-05", "注册", keywords=("登记一下",)))
    items.append(an_item("CC-06", "单据", keywords=()))
    catalogue = a_catalogue(*items)
    assert found(catalogue, "登记") == ["CC-02", "CC-03", "CC-05", "CC-01"]
    assert found(catalogue, "dengji") == ["CC-01", "CC-02", "CC-03", "CC-04", "CC-05"]
    assert found(catalogue, "dj") == ["CC-01", "CC-02", "CC-03", "CC-04", "CC-05", "CC-06"]


def test_pinyin_is_matched_from_the_beginning_of_a_syllable():
    catalogue = a_catalogue(an_item("CC-01", "半价"), an_item("CC-02", "安家"))
    assert found(catalogue, "anjia") == ["CC-02"]


def test_nonsense_finds_nothing():
    assert found(TOWN, "量子隐形传态") == []


def test_the_filters_narrow_what_is_found():
    assert {TOWN.items[code].department for code in found(TOWN, "", department="GA")} == {"GA"}
    assert all("org" in TOWN.items[code].audience for code in found(TOWN, "", audience="org"))
    both = found(TOWN, "登记", audience="org", event="创业")
    assert both
    assert set(both) < set(found(TOWN, "登记"))
    assert found(TOWN, "", department="XX") == []


@given(st.sampled_from(["", "登记", "zheng", "补贴", "d"]), st.integers(1, 30))
def test_pages_together_are_the_whole_without_gap_or_repeat(q: str, limit: int):
    whole, pages, after = found(TOWN, q), [], None
    while True:
        page = TOWN.search(q, after=after, limit=limit)
        pages += [item.code for item in page.items]
        after = page.after
        if after is None:
            break
        assert len(page.items) == limit
    assert pages == whole


@given(st.text(max_size=60))
def test_whatever_is_typed_is_answered(q: str):
    assert len(found(TOWN, q)) <= len(TOWN.items)


@pytest.mark.parametrize("after", ["", "x", "好", "MSBNWi0wMQ=x", "bm8gcmFuaw"])
def test_a_mark_that_is_none_is_refused(after: str):
    with pytest.raises(Refused, match="invalid_cursor"):
        TOWN.search("", after=after)


@given(st.sampled_from(list(TOWN.items.values())), st.data())
def test_every_piece_of_a_name_finds_its_item(item: ServiceItem, data: st.DataObject):
    begin = data.draw(st.integers(0, len(item.name) - 2))
    end = data.draw(st.integers(begin + 2, len(item.name)))
    assert item.code in found(TOWN, item.name[begin:end])


def test_among_five_thousand_items_each_is_found_as_among_a_few():
    items = [an_item(f"{item.code}-{n:02}", item.name, keywords=item.keywords) for item in TOWN.items.values() for n in range(73)]
    catalogue = a_catalogue(*items)
    few = a_catalogue(*items[::73])
    for q in ("低保", "jiehun", "hj", "开饭店要办什么证"):
        pages = catalogue.search(q, limit=5000).items
        assert pages
        assert [item.code for item in pages if item.code.endswith("-00")] == [item.code for item in few.search(q, limit=100).items]


def test_what_is_not_on_offer_is_refused_by_name():
    with pytest.raises(Refused, match="item_not_found"):
        a_catalogue().item("XX-99")
    with pytest.raises(Refused, match="bundle_not_found"):
        a_catalogue().bundle("XX-99")


def test_the_digest_follows_the_content_and_nothing_else():
    item = an_item()
    assert digest(msgspec.structs.replace(item, version=7)) == digest(item)
    assert digest(msgspec.structs.replace(item, promised=Limit(days=9))) != digest(item)
    assert msgspec.json.decode(body(item), type=ServiceItem) == item


async def test_a_changed_item_becomes_the_next_version_and_the_old_one_stays_readable(database: Database):
    clock = SystemClock()
    first = await publish(database, clock, a_catalogue(an_item()))
    again = await publish(database, clock, a_catalogue(an_item()))
    later = await publish(database, clock, a_catalogue(an_item(promised=Limit(days=5))))
    back = await publish(database, clock, a_catalogue(an_item()))
    assert [one.items["AA-01"].version for one in (first, again, later, back)] == [1, 1, 2, 1]
    assert (await later.version(database, "AA-01", 1)).promised.days == 10
    assert await later.version(database, "AA-01", 1) is await later.version(database, "AA-01", 1)
    assert await later.version(database, "AA-01", 2) is later.items["AA-01"]
    with pytest.raises(Refused, match="item_not_found"):
        await later.version(database, "AA-01", 3)


async def test_an_item_that_was_taken_off_the_list_is_still_readable_for_its_cases(database: Database):
    await publish(database, SystemClock(), a_catalogue(an_item("AA-07")))
    now = await publish(database, SystemClock(), a_catalogue(an_item()))
    assert (await now.version(database, "AA-07", 1)).code == "AA-07"


async def test_the_whole_town_is_published_and_read_back_as_it_was(database: Database):
    published = await publish(database, SystemClock(), TOWN)
    fresh = a_catalogue()
    for item in published.items.values():
        assert await fresh.version(database, item.code, 1) == item
