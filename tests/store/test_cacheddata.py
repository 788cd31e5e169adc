"""CachedData: the vendor's own answers, and few questions to the vendor."""

from __future__ import annotations

import asyncio
import logging
from datetime import date, timedelta
from pathlib import Path
from typing import Protocol

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liu_tui.errors import FeedError
from liu_tui.market.calendar import hours, midnight_ns
from liu_tui.model.market import DAY_NS, MINUTE_NS, SECOND_NS, Adjustment, Bar, CorporateAction
from liu_tui.store.cacheddata import CachedData
from tests.kit.loader import ActiveVendor, Vendor
from tests.kit.market import a_bar, at

DAYS = [date(2024, 8, 26) + timedelta(days=n) for n in range(9)]  # Labor Day, 2 September, among them
SESSIONS = [session for day in DAYS if (session := hours(day)) is not None]


class Opener(Protocol):
    def __call__(self, vendor: Vendor, feed: str = ..., *, maps_names: bool = ...) -> CachedData: ...


def minutes(symbol: str = "AAPL", *, every: int = 30, price: float = 100.0) -> list[Bar]:
    """Bars of all sessions, one in so many minutes."""
    return [
        a_bar(t_ns, price + n, symbol=symbol)
        for session in SESSIONS
        for n, t_ns in enumerate(range(session.open_ns, session.close_ns, every * MINUTE_NS))
    ]


def days(symbol: str = "AAPL", *, price: float = 100.0) -> list[Bar]:
    """A daily bar of each session; its close is the price and the day of the month."""
    dates = [date.fromisoformat(session.day) for session in SESSIONS]
    return [a_bar(midnight_ns(d), price + d.day, symbol=symbol, span_ns=DAY_NS) for d in dates]


@pytest.fixture
def cached(tmp_path: Path) -> Opener:
    """Open the cache of this test over a vendor, as another start would."""

    def opened(vendor: Vendor, feed: str = "test-sip", *, maps_names: bool = False) -> CachedData:
        folder = tmp_path / "minutes"
        return CachedData(
            vendor, database=tmp_path / "cache.db", folder=folder, feed=feed, maps_names=maps_names
        )

    return opened


def vendor_of(*bars: Bar, now: str = "2024-09-03 12:00") -> Vendor:
    return Vendor(bars, now=now)


async def closes(data: CachedData, start: str, end: str, *, span_ns: int = MINUTE_NS) -> list[float]:
    """Ask for AAPL; returns the closing prices."""
    found = await data.bars(["AAPL"], at(start), at(end), span_ns=span_ns)
    return [bar.close for bar in found["AAPL"]]


@pytest.mark.parametrize("span_ns", [MINUTE_NS, DAY_NS])
async def test_the_second_start_asks_for_nothing_that_is_final(cached: Opener, span_ns: int) -> None:
    vendor = vendor_of(*minutes(), *days())
    first = await closes(cached(vendor), "2024-08-26", "2024-08-30", span_ns=span_ns)
    asked = len(vendor.asked)
    vendor.known = []
    assert await closes(cached(vendor), "2024-08-26", "2024-08-30", span_ns=span_ns) == first
    assert (
        await closes(cached(vendor), "2024-08-27", "2024-08-29", span_ns=span_ns)
        == [close for close in first if close in first][len(first) // 4 : len(first) // 4 * 3]
    )
    assert len(vendor.asked) == asked


async def test_many_symbols_are_one_question(cached: Opener) -> None:
    names = [f"S{n}" for n in range(20)]
    vendor = vendor_of(*(bar for name in names for bar in minutes(name)))
    data = cached(vendor)
    await data.bars(names[:10], at("2024-08-26"), at("2024-08-28"))
    await data.bars(names, at("2024-08-26"), at("2024-08-28"))
    assert [len(asked[0]) for asked in vendor.asked] == [10, 10]


async def test_of_the_day_under_way_only_the_rest_is_fetched(cached: Opener) -> None:
    vendor = vendor_of(*minutes(every=1), now="2024-08-27 11:00")
    await closes(cached(vendor), "2024-08-26 09:30", "2024-08-27 11:00")
    vendor.now_ns = at("2024-08-27 12:00")
    found = await closes(cached(vendor), "2024-08-26 09:30", "2024-08-27 12:00")
    assert len(found) == 390 + 150
    # Kept up to what may be revised: the bar that ended at 10:58.
    assert vendor.asked[-1][1:3] == (at("2024-08-27 10:58"), at("2024-08-27 12:00"))


async def test_a_minute_revised_after_it_was_served_is_told_as_it_is_now(cached: Opener) -> None:
    vendor = vendor_of(*minutes(every=1), now="2024-08-27 11:00")
    data = cached(vendor)
    await data.bars(["AAPL"], at("2024-08-27 04:00"), at("2024-08-27 11:00"))
    last = next(n for n, bar in enumerate(vendor.known) if bar.end_ns == at("2024-08-27 11:00"))
    vendor.known[last] = msgspec.structs.replace(vendor.known[last], volume=777.0)
    found = await data.bars(["AAPL"], at("2024-08-27 04:00"), at("2024-08-27 11:00"))
    assert found["AAPL"][-1].volume == 777.0


@pytest.mark.parametrize("span_ns", [MINUTE_NS, DAY_NS])
async def test_a_day_fetched_before_it_was_over_is_not_final(cached: Opener, span_ns: int) -> None:
    vendor = vendor_of(*minutes(), *days(), now="2024-08-27 12:00")
    early = await closes(cached(vendor), "2024-08-27", "2024-08-28", span_ns=span_ns)
    vendor.now_ns = at("2024-08-29 12:00")
    late = await closes(cached(vendor), "2024-08-27", "2024-08-28", span_ns=span_ns)
    assert len(late) == (13 if span_ns == MINUTE_NS else 1) > len(early)


async def test_a_daily_bar_is_asked_for_until_the_next_morning(cached: Opener) -> None:
    vendor = vendor_of(*days(), now="2024-08-28 01:00")
    await closes(cached(vendor), "2024-08-26", "2024-08-28", span_ns=DAY_NS)
    tuesday = next(n for n, bar in enumerate(vendor.known) if bar.t_ns == at("2024-08-27 00:00"))
    vendor.known[tuesday] = msgspec.structs.replace(vendor.known[tuesday], close=1.0, low=1.0)
    vendor.now_ns = at("2024-08-28 09:00")
    assert await closes(cached(vendor), "2024-08-26", "2024-08-28", span_ns=DAY_NS) == [126.0, 1.0]
    vendor.known.clear()
    assert await closes(cached(vendor), "2024-08-26", "2024-08-28", span_ns=DAY_NS) == [126.0, 1.0]


@pytest.mark.parametrize("span_ns", [MINUTE_NS, DAY_NS])
async def test_days_without_bars_are_remembered_and_asked_for_again_after_a_while(
    cached: Opener, span_ns: int
) -> None:
    vendor = vendor_of(now="2024-08-28 06:00")  # six hours after Tuesday was over
    for _ in range(2):
        assert await closes(cached(vendor), "2024-08-27", "2024-08-28", span_ns=span_ns) == []
    assert len(vendor.asked) == 1
    vendor.known = [*minutes(), *days()]
    vendor.now_ns = at("2024-08-28 11:59")
    assert await closes(cached(vendor), "2024-08-27", "2024-08-28", span_ns=span_ns) == []
    vendor.now_ns = at("2024-08-28 12:00")
    assert await closes(cached(vendor), "2024-08-27", "2024-08-28", span_ns=span_ns) != []
    asked = len(vendor.asked)
    await closes(cached(vendor), "2024-08-27", "2024-08-28", span_ns=span_ns)
    assert len(vendor.asked) == asked


async def test_a_morning_that_the_vendor_lacked_is_asked_for_again(cached: Opener) -> None:
    whole = [bar for bar in minutes(every=1) if bar.t_ns < at("2024-08-27 00:00")]
    vendor = vendor_of(*whole[200:], now="2024-08-27 06:00")
    assert len(await closes(cached(vendor), "2024-08-26", "2024-08-27")) == 190
    vendor.known = whole
    vendor.now_ns = at("2024-08-27 12:00")
    assert len(await closes(cached(vendor), "2024-08-26", "2024-08-27")) == 390


async def test_a_gap_in_the_middle_of_today_costs_no_whole_day(cached: Opener) -> None:
    vendor = vendor_of(*minutes(every=1), now="2024-08-27 14:00")
    data = cached(vendor)
    found = await data.bars(["AAPL"], at("2024-08-27 13:00"), at("2024-08-27 13:05"))
    assert [bar.t_ns for bar in found["AAPL"]] == [at("2024-08-27 13:00") + n * MINUTE_NS for n in range(5)]
    assert vendor.asked[-1][1] == at("2024-08-27 13:00")
    whole = await data.bars(["AAPL"], at("2024-08-27 04:00"), at("2024-08-27 14:00"))
    assert len(whole["AAPL"]) == 270


async def test_nothing_is_served_that_is_later_than_the_venues_now(cached: Opener) -> None:
    vendor = vendor_of(*minutes(every=1), *days(), now="2024-08-30 12:00")
    await closes(cached(vendor), "2024-08-26", "2024-08-30")
    await closes(cached(vendor), "2024-08-26", "2024-08-30", span_ns=DAY_NS)
    vendor.now_ns = at("2024-08-27 10:00")  # a played day begins anew
    assert len(await closes(cached(vendor), "2024-08-26", "2024-08-30")) == 390 + 30
    assert len(await closes(cached(vendor), "2024-08-26", "2024-08-30", span_ns=DAY_NS)) == 1


async def test_feeds_do_not_mix(cached: Opener) -> None:
    iex, sip = vendor_of(*minutes(price=1.0), *days(price=1.0)), vendor_of(*minutes(), *days())
    for span_ns in (MINUTE_NS, DAY_NS):
        one = await closes(cached(iex, feed="iex"), "2024-08-26", "2024-08-30", span_ns=span_ns)
        other = await closes(cached(sip, feed="sip"), "2024-08-26", "2024-08-30", span_ns=span_ns)
        assert [close + 99 for close in one] == other


SPLIT = CorporateAction(kind="split", symbol="AAPL", day="2024-08-28", ratio=4.0)


async def test_a_split_needs_no_second_download_and_mixes_no_scales(cached: Opener) -> None:
    vendor = ActiveVendor([*minutes(), *days()], now="2024-08-27 20:00")
    await closes(cached(vendor), "2024-08-26", "2024-08-27")
    vendor.actions, vendor.now_ns, asked = [SPLIT], at("2024-08-29 12:00"), len(vendor.asked)
    data = cached(vendor)
    raw = (await data.bars(["AAPL"], at("2024-08-26"), at("2024-08-27")))["AAPL"]
    split = (await data.bars(["AAPL"], at("2024-08-26"), at("2024-08-27"), adjustment=Adjustment.SPLIT))[
        "AAPL"
    ]
    assert len(vendor.asked) == asked
    assert [bar.close for bar in split] == [bar.close / 4 for bar in raw]
    assert [bar.volume for bar in split] == [bar.volume * 4 for bar in raw]
    over = (await data.bars(["AAPL"], at("2024-08-26"), at("2024-08-29"), adjustment=Adjustment.SPLIT))[
        "AAPL"
    ]
    assert [bar.close for bar in over if bar.t_ns >= at("2024-08-28")] == [100.0 + n for n in range(13)]


async def test_a_split_that_is_announced_changes_nothing_yet(cached: Opener) -> None:
    vendor = ActiveVendor(days(), [SPLIT], now="2024-08-27 20:00")
    data = cached(vendor)
    found = await data.bars(
        ["AAPL"], at("2024-08-26"), at("2024-08-27"), span_ns=DAY_NS, adjustment=Adjustment.ALL
    )
    assert [bar.close for bar in found["AAPL"]] == [126.0]


async def test_a_dividend_is_taken_from_the_close_before_it(cached: Opener) -> None:
    dividend = CorporateAction(kind="dividend", symbol="AAPL", day="2024-08-28", cash=1.27)
    vendor = ActiveVendor([*minutes(), *days()], [dividend])
    data = cached(vendor)
    for adjustment, factor in ((Adjustment.ALL, 1 - 1.27 / 127), (Adjustment.SPLIT, 1.0)):
        found = (
            await data.bars(
                ["AAPL"], at("2024-08-26"), at("2024-08-30"), span_ns=DAY_NS, adjustment=adjustment
            )
        )["AAPL"]
        expected = [126 * factor, 127 * factor, 128, 129]
        assert [bar.close for bar in found] == pytest.approx(expected, rel=1e-15)
        assert {bar.volume for bar in found} == {100.0}


async def test_a_dividend_without_a_close_is_left_to_the_vendor(
    cached: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    dividend = CorporateAction(kind="dividend", symbol="AAPL", day="2024-08-28", cash=1.27)
    vendor = ActiveVendor(minutes(), [dividend])
    data = cached(vendor)
    await data.bars(["AAPL"], at("2024-08-26"), at("2024-08-30"), adjustment=Adjustment.ALL)
    assert vendor.asked[-1][4] is Adjustment.ALL
    assert "cannot be adjusted for" in caplog.text


RENAMES = [
    CorporateAction(kind="rename", symbol="META", day="2024-08-27", new_symbol="METV"),
    CorporateAction(kind="rename", symbol="FB", day="2024-08-29", new_symbol="META"),
]


@pytest.mark.parametrize("span_ns", [MINUTE_NS, DAY_NS])
async def test_before_a_rename_the_bars_are_the_old_names(cached: Opener, span_ns: int) -> None:
    """A fund was called META until the 27th, FB has that name since the 29th."""
    mine = [*minutes("FB"), *days("FB"), *minutes("META", price=10.0), *days("META", price=10.0)]
    cut = at("2024-08-29")
    vendor = ActiveVendor(
        [bar for bar in mine if (bar.symbol == "FB") == (bar.t_ns < cut)]
        + [
            a_bar(bar.t_ns, 5.0, symbol="META", span_ns=bar.span_ns)
            for bar in mine
            if bar.t_ns < at("2024-08-27")
        ],
        RENAMES,
    )
    data = cached(vendor)
    found = await data.bars(["META", "METV"], at("2024-08-26"), at("2024-08-31"), span_ns=span_ns)
    fb = [bar.close for bar in mine if bar.symbol == "FB" and bar.t_ns < cut and bar.span_ns == span_ns]
    later = [bar for bar in mine if bar.symbol == "META" and cut <= bar.t_ns < at("2024-08-31")]
    new = [bar.close for bar in later if bar.span_ns == span_ns]
    assert [b.close for b in found["META"]] == fb + new
    assert {bar.symbol for bar in found["META"]} == {"META"}
    assert {bar.close for bar in found["METV"]} == {5.0}


async def test_a_vendor_that_maps_names_is_asked_for_the_present_one(cached: Opener) -> None:
    vendor = ActiveVendor(days("META"), RENAMES[1:])
    data = cached(vendor, maps_names=True)
    for _ in range(2):
        found = await data.bars(["META"], at("2024-08-26"), at("2024-08-31"), span_ns=DAY_NS)
        assert [bar.close for bar in found["META"]] == [126.0, 127.0, 128.0, 129.0, 130.0]
    assert {asked[0] for asked in vendor.asked} == {("META",)}
    assert len(vendor.asked) == 2  # one for each stretch, once


async def test_actions_are_asked_for_once_a_day(cached: Opener) -> None:
    vendor = ActiveVendor(minutes(), now="2024-08-29 10:00")
    for _ in range(2):
        await closes(cached(vendor), "2024-08-26", "2024-08-29 10:00")
    assert vendor.asked_actions == [(("AAPL",), date(2024, 8, 26), date(2024, 8, 29))]
    vendor.now_ns = at("2024-08-30 10:00")
    await closes(cached(vendor), "2024-08-26", "2024-08-29 10:00")
    assert len(vendor.asked_actions) == 2


async def test_where_actions_cannot_be_had_yesterdays_are_taken(cached: Opener) -> None:
    vendor = ActiveVendor(days(), [SPLIT], now="2024-08-29 12:00")
    await closes(cached(vendor), "2024-08-26", "2024-08-29", span_ns=DAY_NS)
    vendor.actions_fault, vendor.now_ns = FeedError("too many questions"), at("2024-08-30 12:00")
    data = cached(vendor)
    found = await data.bars(
        ["AAPL"], at("2024-08-26"), at("2024-08-27"), span_ns=DAY_NS, adjustment=Adjustment.SPLIT
    )
    assert [bar.close for bar in found["AAPL"]] == [126.0 / 4]


@pytest.mark.parametrize("kind", [Vendor, ActiveVendor])
async def test_without_actions_adjusted_bars_are_the_vendors_and_raw_ones_are_kept(
    cached: Opener, kind: type[Vendor]
) -> None:
    vendor = kind([*minutes(), *days()])
    if isinstance(vendor, ActiveVendor):
        vendor.actions_fault = FeedError("not in your plan")
    data = cached(vendor)
    for _ in range(2):
        await data.bars(["AAPL"], at("2024-08-26"), at("2024-08-27"), adjustment=Adjustment.SPLIT)
    assert [asked[4] for asked in vendor.asked] == [Adjustment.SPLIT] * 2
    for _ in range(2):
        await data.bars(["AAPL"], at("2024-08-26"), at("2024-08-27"))
    assert [asked[4] for asked in vendor.asked] == [Adjustment.SPLIT] * 2 + [Adjustment.RAW]


async def test_a_vendors_fault_is_told_as_it_is(cached: Opener) -> None:
    vendor = vendor_of(*minutes(), *days())
    vendor.fault = FeedError("429", where="vendor", mend="Wait.")
    for span_ns in (MINUTE_NS, DAY_NS):
        with pytest.raises(FeedError, match="429"):
            await closes(cached(vendor), "2024-08-26", "2024-08-30", span_ns=span_ns)


async def test_a_cache_that_is_no_database_costs_questions_not_answers(
    cached: Opener, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "cache.db").write_bytes(b"this is not a database, but it is long enough to look at" * 9)
    vendor = vendor_of(*minutes())
    data = cached(vendor)
    for _ in range(2):
        found = await data.bars(["AAPL"], at("2024-08-26"), at("2024-08-27"))
        assert len(found["AAPL"]) == 13
    assert len(vendor.asked) == 2
    assert [
        r.message for r in caplog.records if r.levelno == logging.WARNING and "without the cache" in r.message
    ]
    assert len(caplog.records) == 1


async def test_a_folder_that_cannot_be_written_is_told_once(
    cached: Opener, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "minutes").write_text("a file where the folder should be")
    vendor = vendor_of(*minutes())
    data = cached(vendor)
    for _ in range(2):
        found = await data.bars(["AAPL"], at("2024-08-26"), at("2024-08-28"))
        assert len(found["AAPL"]) == 26
    assert [record.message[:28] for record in caplog.records] == ["minute bars cannot be kept ("]


async def test_several_may_work_on_one_cache_at_once(cached: Opener) -> None:
    names = [f"S{n}" for n in range(6)]
    bars = [bar for name in names for bar in (*minutes(name), *days(name))]
    vendors = [vendor_of(*bars) for _ in range(4)]
    opened = [cached(vendor) for vendor in vendors]
    spans = [MINUTE_NS, DAY_NS] * 2
    answers = await asyncio.gather(
        *(
            data.bars(names, at("2024-08-26"), at("2024-08-31"), span_ns=span)
            for data, span in zip(opened * 2, spans * 2, strict=True)
        )
    )
    for answer, span in zip(answers, spans * 2, strict=True):
        assert answer == await vendors[0].bars(names, at("2024-08-26"), at("2024-08-31"), span_ns=span)


async def test_all_else_is_the_vendors(cached: Opener) -> None:
    vendor = vendor_of(*minutes())
    data = cached(vendor)
    assert list(await data.snapshots(["F"])) == ["F"]
    assert await data.most_active(1) == [("AAPL", 1.0)]
    assert await data.movers(1) == [("AAPL", 2.0)]
    assert [asset.symbol for asset in await data.assets()] == ["AAPL"]
    assert (await data.hours()).day == "2024-09-03"
    assert (await data.anchor()).venue_ns == vendor.now_ns
    today = date(2024, 9, 3)
    for ask in (
        data.trades(["F"], 0, 1),
        data.quotes(["F"], 0, 1),
        data.latest_trades(["F"]),
        data.latest_quotes(["F"]),
        data.corporate_actions(["F"], today, today),
        data.sessions(today, today),
    ):
        with pytest.raises(FeedError, match="Vendor: this vendor has no"):
            await ask
    await data.bars(["aapl"], 0, at("2024-09-03"), span_ns=SECOND_NS)
    assert vendor.asked == [(("AAPL",), 0, at("2024-09-03"), SECOND_NS, Adjustment.RAW)]
    await data.close()
    await data.close()
    assert vendor.closed == 2


async def test_an_empty_question_asks_nobody(cached: Opener) -> None:
    vendor = vendor_of(*minutes())
    data = cached(vendor)
    assert await data.bars([], at("2024-08-26"), at("2024-08-27")) == {}
    assert await data.bars(["AAPL"], at("2024-08-27"), at("2024-08-26")) == {"AAPL": []}
    assert await data.bars(["AAPL"], at("2024-08-31"), at("2024-09-02"), span_ns=DAY_NS) == {"AAPL": []}


QUESTIONS = st.lists(
    st.tuples(
        st.integers(0, 26),  # hours by which the venue has gone on
        st.sets(st.sampled_from(["AAPL", "THIN", "NONE"]), min_size=1),
        st.integers(0, 9 * 24 * 60),  # minutes from the first midnight to the start
        st.integers(0, 4 * 24 * 60),  # minutes to the end
        st.sampled_from([MINUTE_NS, DAY_NS]),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=40, deadline=None)
@given(QUESTIONS)
def test_whatever_is_asked_and_when_the_answer_is_the_vendors(
    tmp_path_factory: pytest.TempPathFactory,
    questions: list[tuple[int, set[str], int, int, int]],
) -> None:
    async def story() -> None:
        folder = tmp_path_factory.mktemp("cache")
        bars = [*minutes(every=7), *minutes("THIN", every=100), *days(), *days("THIN")]
        vendor = Vendor(bars, now="2024-08-26 08:00")
        begin = at("2024-08-26 00:00")
        for later, names, start, length, span in questions:
            vendor.now_ns += later * 60 * MINUTE_NS
            data = CachedData(vendor, database=folder / "cache.db", folder=folder, feed="f")
            start_ns = begin + start * MINUTE_NS
            end_ns = start_ns + length * MINUTE_NS
            answer = await data.bars(names, start_ns, end_ns, span_ns=span)
            assert answer == await vendor.bars(names, start_ns, end_ns, span_ns=span)

    asyncio.run(story())
