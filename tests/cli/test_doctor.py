"""`doctor`: each finding has its verdict, words and mend; a key is never shown."""

import io
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web

from liu_tui.cli.checkups import account, host, polygon, terminal
from liu_tui.cli.checkups.finding import Verdict
from liu_tui.cli.doctor import examine
from liu_tui.cli.init import make_workspace
from liu_tui.cli.main import main
from liu_tui.model.clock import wall_ns
from liu_tui.settings import Keys, Secret, Settings, Workspace

KEYS = Keys(Secret("PKTESTTEST"), Secret("s3cr3ts3cr3t"), source="the environment")
POLYGON = Keys(polygon=Secret("p0lyg0n"), source="the environment")
Answer = Callable[[web.Request], web.Response]


@pytest.fixture(autouse=True)
def no_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration folder of this test's own, and an environment without keys."""
    for name in ("APCA_API_KEY_ID", "APCA_API_SECRET_KEY", "POLYGON_API_KEY", "LIU_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("liu_tui.settings.platformdirs.user_config_path", lambda _: tmp_path / "config")
    return tmp_path / "config"


@asynccontextmanager
async def venue(answer: Answer) -> AsyncIterator[str]:
    """A venue on loopback that answers every request the same way."""

    async def handle(request: web.Request) -> web.Response:
        if "Authorization" in request.headers:
            assert request.headers["Authorization"] == "Bearer p0lyg0n"
            assert "p0lyg0n" not in request.path_qs
        else:
            assert request.headers["APCA-API-KEY-ID"] == "PKTESTTEST"
        return answer(request)

    app = web.Application()
    app.router.add_get("/{rest:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def clock_at(offset_s: float) -> Answer:
    at = datetime.fromtimestamp(wall_ns() / 1e9, UTC) + timedelta(seconds=offset_s)
    stamp = at.strftime("%Y-%m-%dT%H:%M:%S.%f") + "123+00:00"  # nine digits, as the venue writes it
    return lambda _: web.json_response({"timestamp": stamp})


class TestKeys:
    def test_none_are_a_fault_only_where_they_are_needed(self) -> None:
        assert account.keys(Settings(), needed=True)[0].verdict is Verdict.FAIL
        finding, _ = account.keys(Settings(), needed=False)
        assert finding.verdict is Verdict.WARN
        assert "APCA_API_KEY_ID" in finding.mend

    def test_a_pair_is_named_by_its_place_and_not_shown(self) -> None:
        finding, keys = account.keys(Settings(exported=KEYS), needed=True)
        assert (finding.verdict, keys) == (Verdict.OK, KEYS)
        assert "PKTEST" not in repr(finding)

    def test_half_a_pair_is_a_fault(self) -> None:
        half = Settings(exported=Keys(Secret("PKTESTTEST"), source="the environment"))
        assert account.keys(half, needed=False)[0].verdict is Verdict.FAIL

    def test_a_file_open_to_others_is_a_fault(self, no_keys: Path) -> None:
        no_keys.mkdir()
        (no_keys / "keys.toml").write_text("")
        (no_keys / "keys.toml").chmod(0o644)
        finding, keys = account.keys(Settings.read({}), needed=False)
        assert (finding.verdict, keys) == (Verdict.FAIL, None)
        assert "chmod 600" in finding.mend


class TestClock:
    async def test_the_same_time_is_fine(self) -> None:
        async with venue(clock_at(0)) as url:
            assert (await account.clock(KEYS, url)).verdict is Verdict.OK

    async def test_a_wrong_clock_is_told_with_its_error(self) -> None:
        async with venue(clock_at(-60)) as url:
            finding = await account.clock(KEYS, url)
        assert finding.verdict is Verdict.WARN
        assert "+60." in finding.words or "+59." in finding.words

    async def test_refused_keys_are_a_fault(self) -> None:
        async with venue(lambda _: web.json_response({"message": "forbidden."}, status=403)) as url:
            assert (await account.clock(KEYS, url)).verdict is Verdict.FAIL

    @pytest.mark.parametrize("body", ["{}", "no json", '{"timestamp": "soon"}', "[]"])
    async def test_an_answer_that_is_no_time_is_told(self, body: str) -> None:
        async with venue(lambda _: web.Response(text=body)) as url:
            finding = await account.clock(KEYS, url)
        assert finding.verdict is Verdict.WARN
        assert "gave no time" in finding.words

    async def test_a_venue_out_of_reach_is_a_warning(self) -> None:
        finding = await account.clock(KEYS, "http://127.0.0.1:1", timeout_s=2)
        assert finding.verdict is Verdict.WARN
        assert "cannot be reached" in finding.words


class TestData:
    async def test_a_feed_that_is_given_is_fine(self) -> None:
        def answer(request: web.Request) -> web.Response:
            assert request.query["feed"] == "iex"
            return web.json_response({"trades": {}})

        async with venue(answer) as url:
            assert (await account.entitlement(KEYS, "iex", url)).verdict is Verdict.OK

    async def test_a_feed_that_is_refused_is_a_fault_in_the_vendors_words(self) -> None:
        words = {"message": "subscription does not permit querying recent SIP data"}
        async with venue(lambda _: web.json_response(words, status=403)) as url:
            finding = await account.entitlement(KEYS, "sip", url)
        assert finding.verdict is Verdict.FAIL
        assert words["message"] in finding.words

    async def test_what_could_not_be_verified_is_a_warning(self) -> None:
        async with venue(lambda _: web.Response(status=500)) as url:
            assert (await account.entitlement(KEYS, "iex", url)).verdict is Verdict.WARN

    @pytest.mark.parametrize(
        ("feed", "asked", "says"),
        [("delayed_sip", "delayed_sip", "15 minutes late"), ("test", "iex", "FAKEPACA")],
    )
    async def test_a_feed_that_is_no_live_market_is_a_warning(self, feed: str, asked: str, says: str) -> None:
        def answer(request: web.Request) -> web.Response:
            assert request.query["feed"] == asked
            return web.json_response({"trades": {}})

        async with venue(answer) as url:
            finding = await account.entitlement(KEYS, feed, url)
        assert finding.verdict is Verdict.WARN
        assert says in finding.words
        assert '"iex" or "sip"' in finding.mend


def plan_at_alpaca(folder: Path, head: str = "") -> Path:
    """A workspace's plan without its [market]."""
    make_workspace(folder)
    plan = folder / "plans" / "today.toml"
    text = plan.read_text()
    start, end = text.index("[market]"), text.index("[limits]")
    plan.write_text(head + text[:start] + text[end:])
    return plan


def polygon_says(status: int, body: dict[str, str], trade: int = 200) -> Answer:
    """What the market's status and the last trade are answered with."""

    def answer(request: web.Request) -> web.Response:
        if request.path == "/v1/marketstatus/now":
            return web.json_response(body, status=status)
        assert request.path == "/v2/last/trade/SPY"
        words = {"status": "NOT_AUTHORIZED", "message": "You are not entitled to this data."}
        return web.json_response({"status": "OK"} if trade == 200 else words, status=trade)

    return answer


class TestPolygon:
    def test_a_key_is_named_by_its_place_and_not_shown(self) -> None:
        finding = polygon.key(POLYGON, Settings())
        assert (finding.verdict, finding.words) == (Verdict.OK, "its key, from the environment")
        assert "p0lyg0n" not in repr(finding)

    def test_no_key_is_a_fault_that_says_where_to_put_it(self, no_keys: Path) -> None:
        finding = polygon.key(KEYS, Settings(config_dir=no_keys))
        assert finding.verdict is Verdict.FAIL
        assert "POLYGON_API_KEY" in finding.mend
        assert str(no_keys / "keys.toml") in finding.mend

    @pytest.mark.parametrize(
        ("feed", "verdict", "says"),
        [
            ("realtime", Verdict.OK, "Polygon realtime: all exchanges in real time; the market is open"),
            ("delayed", Verdict.WARN, "15 minutes late"),
        ],
    )
    async def test_a_key_that_may_have_trades_is_told_with_its_feed(
        self, feed: str, verdict: Verdict, says: str
    ) -> None:
        async with venue(polygon_says(200, {"market": "open"})) as url:
            finding = await polygon.data(POLYGON, feed, url)
        assert finding.verdict is verdict
        assert says in finding.words

    @pytest.mark.parametrize(
        ("answer", "says", "mend"),
        [
            (polygon_says(401, {"error": "Unknown API Key"}), "Unknown API Key", "POLYGON_API_KEY"),
            (polygon_says(403, {"message": "Upgrade your plan."}), "Upgrade your plan.", "Take a plan"),
            (polygon_says(200, {}, trade=403), "no trades (You are not entitled", "Take a plan"),
        ],
    )
    async def test_a_key_that_is_refused_is_a_fault_in_the_vendors_words(
        self, answer: Answer, says: str, mend: str
    ) -> None:
        async with venue(answer) as url:
            finding = await polygon.data(POLYGON, "realtime", url)
        assert finding.verdict is Verdict.FAIL
        assert says in finding.words
        assert mend in finding.mend
        assert "p0lyg0n" not in repr(finding)

    @pytest.mark.parametrize("answer", [polygon_says(429, {}), polygon_says(200, {}, trade=500)])
    async def test_what_could_not_be_verified_is_a_warning(self, answer: Answer) -> None:
        async with venue(answer) as url:
            finding = await polygon.data(POLYGON, "realtime", url)
        assert finding.verdict is Verdict.WARN
        assert "answered with status" in finding.words

    async def test_polygon_out_of_reach_is_a_warning(self) -> None:
        finding = await polygon.data(POLYGON, "realtime", "http://127.0.0.1:1", timeout_s=2)
        assert finding.verdict is Verdict.WARN
        assert "cannot be reached" in finding.words


class TestHost:
    def test_python_and_libraries_are_named(self) -> None:
        assert host.python().verdict is Verdict.OK
        assert "textual 8." in host.libraries().words

    def test_a_missing_library_is_a_fault(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(host, "LIBRARIES", ("msgspec", "no-such-library"))
        finding = host.libraries()
        assert (finding.verdict, finding.words) == (Verdict.FAIL, "missing: no-such-library")

    @pytest.mark.parametrize(
        ("free", "sync_s", "verdict"),
        [
            (10**12, 0.001, Verdict.OK),
            (5 * 10**8, 0.001, Verdict.WARN),
            (10**7, 0.001, Verdict.FAIL),
            (10**12, 0.5, Verdict.WARN),
        ],
    )
    def test_a_disk_is_judged_by_room_and_speed(self, free: int, sync_s: float, verdict: Verdict) -> None:
        assert host.judge_disk(Path("x"), free, sync_s).verdict is verdict

    def test_looking_at_the_disk_leaves_nothing_behind(self, tmp_path: Path) -> None:
        assert host.disk(Workspace.nearest(tmp_path, Settings())).verdict in (Verdict.OK, Verdict.WARN)
        assert list(tmp_path.iterdir()) == []

    def test_a_folder_that_is_not_there_is_a_fault(self, tmp_path: Path) -> None:
        gone = Workspace(tmp_path / "gone", tmp_path / "gone" / ".liu")
        assert host.disk(gone).verdict is Verdict.FAIL

    def test_a_socket_folder_is_named(self, tmp_path: Path) -> None:
        assert "liu-tui" in host.socket_folder(Workspace.nearest(tmp_path, Settings())).words

    def test_a_workspace_where_nothing_ran_has_no_session(self, tmp_path: Path) -> None:
        assert host.sessions(Workspace.nearest(tmp_path, Settings())).verdict is Verdict.OK
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        ("lingers", "kills", "in_runtime_dir", "verdict", "says"),
        [
            (True, True, True, Verdict.OK, "go on"),
            (False, True, False, Verdict.WARN, "kills"),
            (False, False, True, Verdict.WARN, "removes XDG_RUNTIME_DIR"),
            (False, None, False, Verdict.WARN, "cannot tell"),
            (False, False, False, Verdict.OK, "go on"),
        ],
    )
    def test_a_logout_is_judged(
        self, lingers: bool, kills: bool | None, in_runtime_dir: bool, verdict: Verdict, says: str
    ) -> None:
        finding = host.judge_logout(lingers=lingers, kills=kills, in_runtime_dir=in_runtime_dir)
        assert finding.verdict is verdict
        assert says in finding.words
        assert ("enable-linger" in finding.mend) is (verdict is Verdict.WARN)


class TestTerminal:
    def test_no_terminal_is_a_warning_that_names_headless(self) -> None:
        (finding,) = terminal.terminal(io.StringIO(), Settings())
        assert "--headless" in finding.mend

    @pytest.mark.parametrize(("size", "verdict"), [((80, 24), Verdict.OK), ((79, 24), Verdict.WARN)])
    def test_a_screen_has_its_smallest_size(self, size: tuple[int, int], verdict: Verdict) -> None:
        assert terminal.fits(*size).verdict is verdict

    @pytest.mark.parametrize(
        ("settings", "verdict"),
        [
            (Settings(term="xterm", colorterm="truecolor"), Verdict.OK),
            (Settings(term="screen-256color"), Verdict.OK),
            (Settings(term="xterm-256color", no_color=True), Verdict.OK),
            (Settings(term="vt100"), Verdict.WARN),
            (Settings(term="dumb"), Verdict.FAIL),
            (Settings(), Verdict.FAIL),
        ],
    )
    def test_colours_are_judged(self, settings: Settings, verdict: Verdict) -> None:
        assert terminal.colours(settings).verdict is verdict

    def test_signs_need_utf8_or_the_word_that_they_do_not(self) -> None:
        assert terminal.signs("utf-8", Settings()).verdict is Verdict.OK
        assert terminal.signs("ANSI_X3.4-1968", Settings()).verdict is Verdict.WARN
        assert terminal.signs("ANSI_X3.4-1968", Settings(ascii=True)).verdict is Verdict.OK


class TestCommand:
    def test_a_local_plan_asks_for_no_keys_and_no_network(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        make_workspace(tmp_path / "ws")
        assert main(["doctor", str(tmp_path / "ws" / "plans" / "today.toml"), "--json"]) == 0
        said = json.loads(capsys.readouterr().out)
        verdicts = {finding["name"]: finding["verdict"] for finding in said["findings"]}
        assert said["ok"] is True
        assert verdicts["plan"] == verdicts["keys"] == "ok"
        assert "clock" not in verdicts

    def test_a_plan_with_faults_fails_and_sends_to_check(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "p.toml").write_text("nonsense = 1")
        assert main(["doctor", str(tmp_path / "p.toml")]) == 1
        assert "liu-tui check" in capsys.readouterr().out

    def test_a_plan_at_alpaca_without_keys_fails(self, tmp_path: Path) -> None:
        findings = {finding.name: finding for finding in examine(plan_at_alpaca(tmp_path), Settings())}
        assert findings["plan"].verdict is Verdict.OK
        assert findings["keys"].verdict is Verdict.FAIL
        assert "polygon" not in findings

    def test_a_plan_with_polygons_data_needs_its_key_too_and_asks_alpaca_for_none(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        plan = plan_at_alpaca(tmp_path, 'data = "polygon"\n')
        monkeypatch.setattr(account, "PAPER_URL", "http://127.0.0.1:1")
        monkeypatch.setattr(polygon, "URL", "http://127.0.0.1:1")
        bare = {finding.name: finding for finding in examine(plan, Settings(exported=KEYS))}
        assert (bare["keys"].verdict, bare["polygon"].verdict) == (Verdict.OK, Verdict.FAIL)
        assert "data" not in bare
        both = Keys(KEYS.alpaca_id, KEYS.alpaca_secret, POLYGON.polygon, "the environment")
        full = {finding.name: finding for finding in examine(plan, Settings(exported=both))}
        assert full["polygon"].verdict is Verdict.OK
        assert full["data"].words.startswith("Polygon realtime")

    def test_no_key_is_ever_printed(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("APCA_API_KEY_ID", "PKTESTTEST")
        monkeypatch.setenv("APCA_API_SECRET_KEY", "s3cr3ts3cr3t")
        for name in ("PAPER_URL", "DATA_URL"):
            monkeypatch.setattr(account, name, "http://127.0.0.1:1")
        assert main(["doctor"]) == 0
        out, err = capsys.readouterr()
        assert "Alpaca's pair, from the environment" in out
        assert "PKTEST" not in out + err
        assert "s3cr3t" not in out + err
