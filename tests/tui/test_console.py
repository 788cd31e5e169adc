"""The console: keys become commands, and what is shown is what the session says."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from liu_tui.settings import Settings
from liu_tui.tui.actions import ACTIONS, BAR, BY_ID, PANES
from liu_tui.tui.console import Console
from liu_tui.tui.screens.confirm import Confirm
from liu_tui.tui.screens.palette import Palette
from liu_tui.tui.screens.reading import Reading
from tests.tui.conftest import Opening

SIZES = [(80, 24), (120, 40), (200, 50)]


def _is_shown(console: Console, name: str) -> bool:
    return name in console._placed and console.pane(name).size.height > 2


# ── keys and commands ──


async def test_x_rejects_the_symbol_under_the_cursor_and_u_takes_it_back(stage: Opening) -> None:
    async with stage() as s:
        await s.press("j", "j", "x")
        await s.verbs("reject PLTR")
        await s.until(lambda: s.console.view.rejected("PLTR"))
        await s.press("u")
        await s.verbs("reject PLTR", "allow PLTR")


async def test_the_screen_never_draws_the_hoped_for_state(stage: Opening) -> None:
    async with stage(answer_s=0.3) as s:
        await s.press("j", "x")
        await s.verbs("reject SMCI")
        assert not s.console.view.rejected("SMCI")
        assert "PENDING" in s.text(s.console.messages)
        await s.until(lambda: "done" in s.text(s.console.messages))
        await s.until(lambda: s.console.view.rejected("SMCI"))


async def test_a_refusal_is_said_with_the_sessions_words(stage: Opening) -> None:
    async with stage() as s:
        s.session.refuse["pause"] = "the desk is being started"
        await s.press("P")
        await s.until(lambda: "refused" in s.text(s.console.messages))
        assert "the desk is being started" in s.text(s.console.messages)
        assert s.console.view.activity()[0].state == "refused"


async def test_rejecting_a_symbol_that_is_held_asks_first_and_enter_does_nothing(stage: Opening) -> None:
    async with stage() as s:
        await s.press("x")
        assert isinstance(s.app.screen, Confirm)
        await s.press("enter")
        assert len(s.app.screen_stack) == 1
        assert s.asked() == []
        await s.press("x", "f")
        await s.verbs("reject NVDA")
        assert s.session.commands[0].choice == "flatten"


async def test_the_kill_switch_wants_its_word_and_drops_what_was_typed_before_it_was_seen(
    stage: Opening,
) -> None:
    async with stage() as s:
        await s.press("K")
        dialog = s.app.screen
        assert isinstance(dialog, Confirm)
        dialog.armed = False
        await s.pilot.press("K", "I", "L", "L")
        assert dialog.typed == ""
        dialog.armed = True
        await s.press("enter")
        assert s.asked() == []
        await s.press("K", "K", "I", "L", "x", "L", "enter")
        await s.verbs("kill")


async def test_flatten_asks_and_names_the_position_that_was_under_the_cursor(stage: Opening) -> None:
    async with stage() as s:
        await s.press("2", "F")
        dialog = s.app.screen
        assert isinstance(dialog, Confirm)
        symbol = dialog.proposal.title.removeprefix("Flatten ")
        s.session.positions.pop(symbol)
        await s.until(lambda: s.console.symbol != symbol)
        await s.press("y")
        await s.verbs(f"flatten {symbol}")


async def test_c_cancels_the_order_under_the_cursor(stage: Opening) -> None:
    async with stage() as s:
        await s.press("3", "C", "y")
        await s.verbs("cancel RIVN")
        assert s.session.commands[0].order == "o0"
        await s.press("j", "C")
        await s.until(lambda: "protects" in s.text(s.console.messages))


async def test_flatten_all_wants_its_word(stage: Opening) -> None:
    async with stage() as s:
        await s.press("A", *"FLATTEN", "enter")
        await s.verbs("flatten")


async def test_d_drops_and_subscribes_again(stage: Opening) -> None:
    async with stage() as s:
        await s.press("j", "d")
        await s.verbs("unsubscribe SMCI")
        await s.until(lambda: (hit := s.console.view.hit("SMCI")) is not None and hit.state == "unsubscribed")
        await s.press("d")
        await s.verbs("unsubscribe SMCI", "subscribe SMCI")


async def test_pause_shows_who_and_why_only_when_the_session_says_so(stage: Opening) -> None:
    async with stage((200, 50)) as s:
        await s.press("P")
        await s.until(lambda: "REDUCING" in s.text(s.console.status))
        assert "by console" in s.text(s.console.status)


@pytest.mark.parametrize(("key", "verbs"), [("l", []), ("s", ["stop"]), ("f", ["stop"]), ("n", [])])
async def test_q_asks_and_leaves_the_session_running_unless_told(
    stage: Opening, key: str, verbs: list[str]
) -> None:
    async with stage() as s:
        await s.press("q", key)
        if verbs:
            await s.verbs(*verbs)
            assert s.session.commands[0].flatten is (key == "f")
        assert (s.app._exit, s.asked()) == (key == "l", verbs)


async def test_the_command_line_does_what_keys_do(stage: Opening) -> None:
    async with stage() as s:
        await s.press("colon", *"reject pltr", "enter")
        await s.verbs("reject PLTR")
        await s.press("colon", *"rej", "tab", *"soun", "enter")
        assert isinstance(s.app.screen, Confirm)
        await s.press("escape", "colon", *"nonsense", "enter")
        await s.until(lambda: "no command 'nonsense'" in s.text(s.console.messages))


async def test_the_palette_finds_an_action_by_a_few_letters(stage: Opening) -> None:
    async with stage() as s:
        await s.press("ctrl+p")
        assert isinstance(s.app.screen, Palette)
        await s.press(*"pause", "enter")
        await s.verbs("pause")


# ── panes ──


@pytest.mark.parametrize("size", SIZES)
async def test_every_pane_can_be_reached_by_its_number_at_every_size(
    stage: Opening, size: tuple[int, int]
) -> None:
    async with stage(size) as s:
        for number, name in enumerate(PANES, 1):
            if s.console.focused_pane != name:
                await s.press(str(number))
            assert s.console.focused_pane == name
            await s.until(partial(_is_shown, s.console, name))
            assert f" {number} " in s.text(s.console.pane(name))


async def test_the_same_number_again_zooms_and_escape_goes_back(stage: Opening) -> None:
    async with stage() as s:
        await s.press("3", "3")
        await s.until(lambda: list(s.console._placed) == ["orders"])
        await s.press("escape")
        await s.until(lambda: "hits" in s.console._placed)


async def test_a_filter_narrows_while_typing_and_escape_clears_it(stage: Opening) -> None:
    async with stage() as s:
        table = s.console.tables["hits"].table
        await s.press("slash", *"lunr")
        await s.until(lambda: table.order == ["LUNR/MostActive"] or table.order == ["LUNR/Momentum"])
        await s.press("enter")
        assert "1 of 40 /lunr" in s.text(s.console.tables["hits"])
        await s.press("escape")
        await s.until(lambda: len(table.order) == 40)


async def test_the_cursor_stays_with_its_symbol_when_sorting_moves_rows(stage: Opening) -> None:
    async with stage() as s:
        await s.press("j", "j")
        assert s.console.symbol == "PLTR"
        await s.press("s", "s", "S")
        s.session.step()
        await s.until(lambda: True)
        assert s.console.symbol == "PLTR"


async def test_the_log_follows_until_somebody_scrolls_up(stage: Opening) -> None:
    async with stage() as s:
        for at in range(40):
            s.session.say("info", f"line {at}")
        await s.until(lambda: "line 39" in s.text(s.console.log_pane))
        await s.press("5", "k")
        s.session.say("info", "newer")
        await s.until(lambda: "held +1 new" in s.text(s.console.log_pane))
        assert "newer" not in s.text(s.console.log_pane)
        await s.press("G")
        assert "newer" in s.text(s.console.log_pane)


async def test_enter_shows_the_symbol_with_its_chart_and_j_goes_to_the_next(stage: Opening) -> None:
    async with stage() as s:
        await s.press("enter")
        await s.until(lambda: "bid" in s.text(s.console.detail))
        said = s.text(s.console.detail)
        assert all(word in said for word in ("NVDA", "vwap", "09:30", "fills", "stop"))
        await s.press("j")
        await s.until(lambda: "SMCI" in s.text(s.console.detail) and "bid" in s.text(s.console.detail))
        await s.press("x")
        await s.verbs("reject SMCI")
        await s.press("escape")
        await s.until(lambda: "hits" in s.console._placed)


async def test_resizing_moves_panes_and_keeps_the_cursor(stage: Opening) -> None:
    async with stage((200, 50)) as s:
        await s.press("j", "j", "j")
        for size in ((80, 24), (50, 10), (120, 40)):
            await s.pilot.resize_terminal(*size)
            await s.pilot.pause()
        await s.until(lambda: "consumers" in s.console._placed)
        assert s.console.symbol == "SOUN"


async def test_a_terminal_that_is_too_small_says_so(stage: Opening) -> None:
    async with stage() as s:
        await s.pilot.resize_terminal(50, 10)
        await s.until(lambda: "too small" in s.text(s.console.notice))


# ── the link ──


async def test_a_lost_session_is_stale_and_comes_back(stage: Opening) -> None:
    async with stage() as s:
        for guest in list(s.session.door._guests):
            guest._writer.transport.abort()
        await s.until(lambda: s.console.view.stale)
        assert "STALE" in s.text(s.console.status)
        await s.until(lambda: s.console.tables["hits"].stale)
        await s.until(lambda: s.console.view.link.state == "live" and not s.console.view.stale)
        await s.until(lambda: not s.console.tables["hits"].stale)


async def test_after_the_end_nothing_is_sent_and_the_key_says_why(stage: Opening) -> None:
    async with stage() as s:
        await s.session.end("asked for")
        await s.until(lambda: s.console.view.farewell is not None)
        await s.press("P")
        await s.until(lambda: "the session has ended" in s.text(s.console.messages))
        assert s.asked() == []


async def test_the_end_is_told_in_numbers_and_q_leaves_at_once(stage: Opening) -> None:
    async with stage((80, 24)) as s:
        await s.session.end("market close")
        await s.until(lambda: "The session has ended: market close" in s.text(s.console.notice))
        said = s.text(s.console.notice)
        assert "+580.90" in said
        assert "14 filled" in said
        await s.press("q")
        assert s.app._exit


async def test_before_the_open_it_says_when_it_opens(stage: Opening) -> None:
    async with stage(scene="early") as s:
        assert "opens 1" in s.text(s.console.status)
        assert "once the market is open" in s.text(s.console.tables["hits"])


# ── looks ──


@pytest.mark.parametrize("scene", ["calm", "early", "empty", "rough"])
@pytest.mark.parametrize("size", SIZES)
async def test_no_line_is_longer_than_the_screen_and_no_key_is_cut(
    stage: Opening, size: tuple[int, int], scene: str
) -> None:
    async with stage(size, scene=scene) as s:
        for board in (s.console.status, s.console.keys):
            assert len(s.text(board)) <= size[0]


async def test_ascii_terminals_get_ascii_only(stage: Opening) -> None:
    async with stage(encoding="latin-1") as s:
        await s.press("enter")
        await s.until(lambda: "bid" in s.text(s.console.detail))
        for board in s.console._seen():
            board.flush()
            strips = [board.render_line(y) for y in range(board.size.height)]
            assert all(segment.text.isascii() for strip in strips for segment in strip)


async def test_every_theme_can_draw_everything(stage: Opening) -> None:
    async with stage() as s:
        for name in (*list(s.console.look.palettes)[1:], "liu-dark"):
            await s.press("t")
            assert s.app.theme == name
            palette = s.console.look.palette
            assert all(palette.style(tone, ground) for tone in palette.tones for ground in palette.grounds)


async def test_no_color_means_no_colour(stage: Opening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with stage(settings=Settings(no_color=True)) as s:
        assert s.app.theme == "liu-ansi"
        assert [type(one).__name__ for one in s.app._filters if one.enabled][-1] == "NoColor"


async def test_b_silences_the_bell(stage: Opening, monkeypatch: pytest.MonkeyPatch) -> None:
    async with stage((200, 50)) as s:
        rung: list[int] = []
        monkeypatch.setattr(s.app, "bell", lambda: rung.append(1))
        s.session.say("good", "filled", kind="fill")
        await s.until(lambda: bool(rung))
        await s.press("b")
        s.session.say("good", "filled again", kind="fill")
        await s.until(lambda: "filled again" in s.text(s.console.log_pane))
        await asyncio.sleep(0)
        assert (len(rung), "bell off" in s.text(s.console.status)) == (1, True)


async def test_help_lists_every_key(stage: Opening) -> None:
    async with stage((200, 50)) as s:
        await s.press("question_mark")
        screen = s.app.screen
        assert isinstance(screen, Reading)
        said = s.text(screen.sheet)
        assert all(action.words[:30] in said for action in ACTIONS if not action.id.startswith("pane_"))


def test_every_key_means_one_thing_and_dangerous_ones_are_capitals() -> None:
    keys = [key for action in ACTIONS for key in action.keys]
    assert len(keys) == len(set(keys))
    assert all(key.isupper() for action in ACTIONS if action.tier >= 2 for key in action.keys)
    assert all(name in BY_ID and BY_ID[name].short for name in BAR)
