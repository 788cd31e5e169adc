"""What stands until somebody decides: flattens, differences, halts, vetoes; and what real money adds."""

from __future__ import annotations

from pathlib import Path

import pytest

from liu_tui.engine.snapshot import DifferenceRow, FlattenRow, VetoRow
from liu_tui.settings import Settings
from liu_tui.tui import standing, symbols, targets
from liu_tui.tui.deeds import BACK, Ask, Choice, Deed, Proposal, in_live
from liu_tui.tui.format import folded
from liu_tui.tui.screens.confirm import Confirm
from liu_tui.tui.screens.listing import Listing
from liu_tui.tui.screens.order import OrderSheet
from liu_tui.tui.symbols import Terms
from liu_tui.tui.typed import terms_of
from liu_tui.tui.view import LinkState, View
from liu_tui.tui.widgets.alerts import Alerts
from liu_tui.tui.widgets.board import Look
from tests.kit.tui import OPEN_NS, ScriptedSession, replace
from tests.tui.conftest import Opening, Stage


def seen(scene: str = "calm") -> View:
    view = View()
    view.link_is(LinkState("live"))
    view.take(ScriptedSession(Path("unused"), scene=scene).picture())
    return view


def confirm_of(s: Stage) -> Confirm:
    screen = s.app.screen
    assert isinstance(screen, Confirm)
    return screen


# ── flattens ──


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)])
async def test_a_flatten_that_is_not_done_is_told_above_the_panes(
    stage: Opening, size: tuple[int, int]
) -> None:
    async with stage(size, scene="flatten") as s:
        await s.until(lambda: "alerts" in s.console._placed)
        said = s.text(s.console.alerts)
        assert "FLATTEN everything by ann: 2" in said
        assert "of 30 closed" in said
        assert "stuck MSFT +100 halted, TSLA -50 halted; trying again" in said
        assert "R releases" in said
        assert all(line.ground in ("danger", "heed") for line in s.console.alerts._lines)


def test_a_flatten_is_not_done_before_the_broker_says_so_and_the_strip_says_who_is_asked() -> None:
    row = FlattenRow(symbol="", by="ann", reason="", since_ns=OPEN_NS, begun=30, left=2, working=1)
    assert standing.progress_words(row) == "28 of 30 closed, 1 order working"
    assert standing.progress_words(replace(row, left=0)) == "30 of 30 closed, 1 order working"
    assert standing.progress_words(replace(row, left=0, working=0)) == "30 of 30 closed, asking the broker"


async def test_the_strip_takes_its_lines_from_the_panes_below_it_and_all_others_stay(stage: Opening) -> None:
    async with stage(scene="calm") as s:
        before = dict(s.console._placed)
        s.session.scene = "flatten"
        await s.until(lambda: "alerts" in s.console._placed)
        after = s.console._placed
        lines = after["alerts"].height
        for name, region in before.items():
            if region.y:
                assert after[name] == region
            else:
                assert (after[name].y, after[name].bottom) == (lines, region.bottom)
        s.session.scene = "calm"
        await s.until(lambda: s.console._placed == before)


def test_a_strip_that_lacks_room_says_what_it_leaves_out() -> None:
    view = seen("flatten")
    alerts = Alerts(view, Look())
    assert alerts.wanted(80, 21) == 3
    assert [line.spans[0][0] for line in alerts.draw(80, 3)][-1].startswith(" and 2 lines more")
    assert alerts.wanted(200, 46) == 3
    assert Alerts(seen(), Look()).wanted(80, 21) == 0


async def test_releasing_the_flatten_of_everything_wants_its_word(stage: Opening) -> None:
    async with stage(scene="flatten") as s:
        await s.press("R")
        assert isinstance(s.app.screen, Listing)
        await s.press("R", *"RELEASE", "enter")
        await s.verbs("release")
        await s.press("j", "R", "y")
        await s.verbs("release", "release MARA")
        await s.press("escape")
        assert len(s.app.screen_stack) == 1


async def test_the_command_line_releases_one_by_its_symbol(stage: Opening) -> None:
    async with stage(scene="flatten") as s:
        s.console.command_line.carry_out("release mara")
        await s.press("y")
        await s.verbs("release MARA")


def test_what_is_not_in_force_is_not_released() -> None:
    assert standing.release(seen(), "NVDA") == "no flatten of NVDA is in force"
    assert standing.release(seen(), "") == "no flatten of everything is in force"


# ── halts ──


async def test_resuming_after_a_halt_wants_a_reason(stage: Opening) -> None:
    async with stage(scene="flatten") as s:
        await s.press("P")
        dialog = confirm_of(s)
        assert "ann: the kill key" in s.text(dialog.sheet)
        await s.press("down", "enter")
        assert s.asked() == []
        await s.press(*"all", "space", *"clear", "enter")
        await s.verbs("resume")
        assert s.session.commands[0].reason == "all clear"


async def test_a_halt_is_told_above_the_panes_and_in_the_status(stage: Opening) -> None:
    async with stage() as s:
        await s.press("K", *"KILL", "enter")
        await s.verbs("kill")
        await s.until(lambda: "HALTED by console" in s.text(s.console.alerts))
        assert "P resumes" in s.text(s.console.alerts)
        assert "HALTED" in s.text(s.console.status)


# ── differences ──


async def test_a_difference_is_shown_and_decided_in_its_list(stage: Opening) -> None:
    async with stage(scene="differences") as s:
        await s.until(lambda: "2 DIFFERENCES" in s.text(s.console.alerts))
        assert "2 differ" in s.text(s.console.status)
        await s.press("D")
        listing = s.app.screen
        assert isinstance(listing, Listing)
        said = s.text(listing.sheet)
        assert "waits for you" in said
        assert "no order of ours" in said
        await s.press("a", "enter")
        assert s.asked() == []
        await s.press("F", "y")
        await s.verbs("resolve AAPL")
        assert s.session.commands[0].choice == "flatten"


async def test_a_list_goes_on_while_it_is_open(stage: Opening) -> None:
    async with stage(scene="differences") as s:
        await s.press("D")
        listing = s.app.screen
        assert isinstance(listing, Listing)
        s.session.scene = "calm"
        await s.until(lambda: "books and broker agree" in s.text(listing.sheet))
        await s.press("a", "escape")
        assert s.asked() == []


async def test_the_command_line_resolves_and_says_what_it_lacks(stage: Opening) -> None:
    async with stage(scene="differences") as s:
        s.console.command_line.carry_out("resolve aapl")
        await s.until(lambda: "adopt, flatten, ignore" in s.text(s.console.messages))
        s.console.command_line.carry_out("resolve aapl ignore")
        await s.press("y")
        await s.verbs("resolve AAPL")
        assert s.session.commands[0].choice == "ignore"


def test_what_agrees_needs_no_decision() -> None:
    view = seen("differences")
    assert standing.resolve(view, "NVDA", "adopt") == "books and broker agree on NVDA"
    assert standing.difference(view, "AAPL") is not None
    assert "adopt" in str(standing.resolve(view, "AAPL", "burn"))


# ── vetoes ──


async def test_x_is_for_today_and_all_and_the_form_says_the_rest(stage: Opening) -> None:
    async with stage() as s:
        await s.press("j", "x")
        await s.verbs("reject SMCI")
        assert (s.session.commands[0].until, s.session.commands[0].strategy) == ("", "")
        await s.press("j", "X", "right", "down", "right", *"wide", "enter")
        await s.verbs("reject SMCI", "reject PLTR")
        asked = s.session.commands[1]
        assert (asked.until, asked.strategy, asked.reason) == ("30m", "MomentumBreakout", "wide")


async def test_the_form_asks_about_what_is_held_and_flattening_is_confirmed(stage: Opening) -> None:
    async with stage() as s:
        await s.press("X", "up", "up", "left", "enter")
        assert "flatten NVDA" in s.text(confirm_of(s).sheet)
        await s.press("f")
        await s.verbs("reject NVDA")
        assert (s.session.commands[0].choice, s.session.commands[0].until) == ("flatten", "day")


async def test_escape_leaves_the_form_and_nothing_is_sent(stage: Opening) -> None:
    async with stage() as s:
        await s.press("X", "right", "escape")
        assert len(s.app.screen_stack) == 1
        assert s.asked() == []


async def test_vetoes_are_listed_and_one_is_allowed_again(stage: Opening) -> None:
    async with stage((200, 50), scene="unknown") as s:
        await s.press("v")
        listing = s.app.screen
        assert isinstance(listing, Listing)
        said = s.text(listing.sheet)
        assert all(word in said for word in ("SMCI", "until 11:02", "spread too wide", "for good"))
        await s.press("j", "x", "escape")
        await s.verbs("allow PLTR")
        assert s.session.commands[0].strategy == "VwapReversion"
        await s.press("u")
        await s.verbs("allow PLTR", "reject PLTR")
        assert s.session.commands[1].until == "good"


async def test_the_hits_say_why_a_symbol_is_rejected(stage: Opening) -> None:
    async with stage() as s:
        s.session.vetoes["SMCI/"] = VetoRow(
            symbol="SMCI", strategy="", by="ann", reason="wide", since_ns=OPEN_NS
        )
        await s.until(lambda: "for good by ann" in s.text(s.console.tables["hits"]))
        s.console.hands.look_for("state=rejected")
        assert s.console.tables["hits"].table.order == ["SMCI/Momentum"]


@pytest.mark.parametrize(
    ("words", "terms"),
    [
        ("30m", Terms("30m")),
        ("good no liquidity", Terms("good", reason="no liquidity")),
        ("14:30 for=Vwap too wide", Terms("14:30", "Vwap", "too wide")),
        ("too wide", Terms(reason="too wide")),
    ],
)
def test_the_command_line_reads_terms(words: str, terms: Terms) -> None:
    assert terms_of(words) == terms


def test_allowing_can_be_undone_to_what_it_was() -> None:
    view = seen()
    veto = VetoRow(symbol="PLTR", strategy="Vwap", by="ann", reason="wide", since_ns=0, until_ns=OPEN_NS)
    target = symbols.allow(view, veto)
    assert target == Deed(
        (Ask("allow", "PLTR", strategy="Vwap"),),
        (Ask("reject", "PLTR", strategy="Vwap", reason="wide", until="09:30"),),
    )


# ── orders ──


async def test_an_order_whose_fate_is_unknown_is_asked_for_never_rejected(stage: Opening) -> None:
    async with stage((200, 50), scene="unknown") as s:
        said = s.text(s.console.tables["orders"])
        assert "asking 2/5" in said
        assert "asking 1/5" in said
        assert "trl 1.5%" in said
        assert "day+" in said
        assert "ioc r" in said
        assert "asking the broker about 2 orders" in s.text(s.console.status)


async def test_enter_on_an_order_shows_its_terms_its_chain_and_its_life(stage: Opening) -> None:
    async with stage(scene="unknown") as s:
        await s.press("3", "j", "j", "j", "enter")
        sheet = s.app.screen
        assert isinstance(sheet, OrderSheet)
        said = s.text(sheet.sheet)
        assert all(word in said for word in ("HOOD", "replaces", "r0", "life", "asked for"))
        await s.press("enter")
        await s.until(lambda: s.console.detailed)


async def test_an_order_is_canceled_from_its_sheet(stage: Opening) -> None:
    async with stage() as s:
        await s.press("3", "enter", "C", "y")
        await s.verbs("cancel RIVN")


async def test_the_life_of_an_order_grows_while_the_sheet_is_open(stage: Opening) -> None:
    async with stage() as s:
        await s.press("3", "enter")
        sheet = s.app.screen
        assert isinstance(sheet, OrderSheet)
        row = s.session.orders["o0"]
        s.session.orders["o0"] = replace(row, state="filled", filled_qty=500.0, live=False)
        await s.until(lambda: "500 filled" in s.text(sheet.sheet))
        assert "partial" in s.text(sheet.sheet)


# ── the four verbs ──


async def test_stop_keeps_or_flattens(stage: Opening) -> None:
    async with stage() as s:
        await s.press("Q")
        assert "their stops and targets stay" in s.text(confirm_of(s).sheet)
        await s.press("enter")
        assert s.asked() == []
        await s.press("Q", "s")
        await s.verbs("stop")
        assert not s.session.commands[0].flatten


def test_each_verb_tells_what_it_keeps_and_does() -> None:
    view = seen()
    for target, words in (
        (targets.cancel_symbol(view, ""), "stops and targets, stay"),
        (targets.flatten_symbol(view, "NVDA"), "until all is flat"),
        (targets.flatten_all(view), "R releases"),
        (targets.kill(view), "only cancels and exits"),
        (targets.stop(view), "stay at the broker"),
    ):
        assert isinstance(target, Proposal)
        assert words in " ".join(text for line in target.lines for text, _ in line)


# ── real money ──


async def test_real_money_changes_the_frame_and_says_so_in_words(stage: Opening) -> None:
    async with stage(scene="live") as s:
        await s.until(lambda: s.console.look.live)
        assert s.console.has_class("-live")
        for board in (s.console.status, s.console.keys, s.console.tables["hits"]):
            assert " LIVE " in s.text(board).splitlines()[0]
        usual, real = s.console.look.palettes["liu-dark"], s.console.look.palette
        assert real.style("text", "bar").bgcolor != usual.style("text", "bar").bgcolor
        assert real.style("text", "row") == usual.style("text", "row")
        for name in ("liu-light", "liu-cb", "liu-ansi", "liu-dark"):
            await s.press("t")
            assert s.app.theme == name
            assert s.console.look.palette is not s.console.look.palettes[name]


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_real_money_cuts_no_key(stage: Opening, size: tuple[int, int]) -> None:
    async with stage(size, scene="live") as s:
        for board in (s.console.status, s.console.keys):
            assert len(s.text(board)) <= size[0]


async def test_without_colour_the_frame_is_reversed(stage: Opening) -> None:
    async with stage(scene="live", settings=Settings(no_color=True)) as s:
        await s.until(lambda: s.console.look.live)
        assert s.console.look.palette.style("text", "bar").reverse
        assert s.console.look.palette.style("text", "title").reverse


async def test_real_money_asks_one_thing_more_and_names_the_account(stage: Opening) -> None:
    async with stage(scene="live") as s:
        await s.press("2", "F")
        said = s.text(confirm_of(s).sheet)
        assert "Type FLATTEN" in said
        assert "real money at Alpaca" in said
        await s.press("y", *"FLATTEN", "enter")
        await s.until(lambda: bool(s.asked()))
        await s.press("K", *"KILL", "down", "enter")
        assert len(s.asked()) == 1
        await s.press("space", *"LIVE", "enter")
        await s.until(lambda: s.asked()[1:] == ["kill"])


async def test_in_real_money_a_dangerous_way_of_several_is_confirmed_by_its_word(stage: Opening) -> None:
    async with stage(scene="live") as s:
        await s.press("q", "s")
        assert "Type STOP" in s.text(confirm_of(s).sheet)
        await s.press(*"STOP", "enter")
        await s.verbs("stop")


async def test_in_real_money_entries_begin_again_only_after_a_word(stage: Opening) -> None:
    async with stage(scene="live") as s:
        await s.press("P")
        await s.verbs("pause")
        await s.until(lambda: "REDUCING" in s.text(s.console.status))
        await s.press("P", *"RESUME", "enter")
        await s.verbs("pause", "resume")


def test_a_reason_that_was_typed_is_kept_through_the_second_dialog() -> None:
    yes = Choice("y", "Resume", (Ask("resume"),), danger=True)
    proposal = in_live(Proposal("Resume", (), (BACK, yes), wants_reason=True))
    then = proposal.choices[1].because("all clear").then
    assert then is not None
    assert then.word == "RESUME"
    assert then.choices[1].asks == (Ask("resume", reason="all clear"),)


# ── the account ──


async def test_the_account_has_a_line_where_there_is_room_and_a_dialog_elsewhere(stage: Opening) -> None:
    async with stage(scene="live") as s:
        said = s.text(s.console.money)
        assert all(
            word in said for word in ("day -1,240.50", "62% of 2,000", "62% of 2,500", "fees 18.42", "x4")
        )
        await s.pilot.resize_terminal(80, 24)
        await s.until(lambda: not s.console.money.display)
        assert "62%max" in s.text(s.console.status)
        await s.press("m")
        await s.until(lambda: len(s.app.screen_stack) == 2)
        await s.press("escape")
        assert len(s.app.screen_stack) == 1


def test_long_sentences_are_folded_between_words() -> None:
    rows = folded((("by ann: ", "text"), ("one two three", "warn")), 12)
    assert ["".join(text for text, _ in row).rstrip() for row in rows] == ["by ann: one", "two three"]
    short = (("one", "text"),)
    assert folded(short, 12) == [short]


def test_rows_of_the_strip_fit_any_width() -> None:
    view = seen("flatten")
    row = FlattenRow(symbol="A", by="b" * 60, reason="", since_ns=OPEN_NS, begun=1, left=1, working=1,
                     stuck=(("ZZZ", 1.5, "nothing to borrow " * 6),))  # fmt: skip
    assert view.picture is not None
    difference = DifferenceRow(symbol="Q", ours=1, theirs=0, words="w", since_ns=OPEN_NS)
    view.take(replace(view.picture, flattens=(row,), differences=(difference,)))
    for width in (60, 80, 200):
        for line in Alerts(view, Look()).draw(width, 5):
            assert sum(len(text) for text, _ in line.spans) == width
