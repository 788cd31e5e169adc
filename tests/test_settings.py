"""The environment, the keys, and where a workspace keeps things."""

import os
import stat
import tempfile
from collections.abc import Mapping
from copy import copy
from pathlib import Path

import pytest

from liu_tui.errors import RefusedError, UsageError
from liu_tui.settings import SOCKET_PATH_MAX, Keys, Secret, Settings, Workspace, private_folder

PAIR = {"APCA_API_KEY_ID": "PKTESTTESTTESTTEST", "APCA_API_SECRET_KEY": "s3cr3ts3cr3t"}


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty configuration folder of this test's own."""
    folder = tmp_path / "config"
    folder.mkdir()
    monkeypatch.setattr("liu_tui.settings.platformdirs.user_config_path", lambda _: folder)
    return folder


def settings(**environ: str) -> Settings:
    return Settings.read(environ)


def write_keys(config: Path, text: str, mode: int = 0o600) -> Path:
    file = config / "keys.toml"
    file.write_text(text)
    file.chmod(mode)
    return file


class TestSecrets:
    def test_no_way_of_writing_a_secret_shows_it(self) -> None:
        secret = Secret("s3cr3ts3cr3t")
        for written in (
            repr(secret),
            str(secret),
            f"{secret}",
            f"{secret!r:>20}",
            repr(Keys(alpaca_id=secret)),
        ):
            assert "s3cr3t" not in written
        assert secret.reveal() == "s3cr3ts3cr3t"

    def test_settings_do_not_show_their_keys(self, config: Path) -> None:
        assert "s3cr3t" not in repr(settings(**PAIR))

    def test_a_secret_is_never_sent(self) -> None:
        with pytest.raises(TypeError, match="each process reads its own"):
            copy(Secret("x"))

    def test_an_empty_secret_is_none(self) -> None:
        assert not Secret()
        assert Secret("x") == Secret("x") != Secret("y")


class TestKeys:
    def test_they_come_from_the_environment(self, config: Path) -> None:
        keys = settings(**PAIR).keys()
        assert keys.alpaca
        assert keys.alpaca_id.reveal() == PAIR["APCA_API_KEY_ID"]
        assert keys.source == "the environment"

    def test_they_come_from_a_private_file(self, config: Path) -> None:
        file = write_keys(config, "".join(f'{name} = "{value}"\n' for name, value in PAIR.items()))
        keys = settings().keys()
        assert keys.alpaca
        assert keys.source == str(file)
        assert set(keys.known()) == set(PAIR.values())

    def test_a_pair_is_never_mixed_from_two_places(self, config: Path) -> None:
        write_keys(config, 'APCA_API_SECRET_KEY = "other"\nPOLYGON_API_KEY = "polygon"\n')
        keys = settings(APCA_API_KEY_ID="PKTEST").keys()
        assert not keys.alpaca
        assert keys.polygon.reveal() == "polygon"
        assert "the environment" in keys.source

    def test_without_any_there_are_none(self, config: Path) -> None:
        assert not settings().keys().alpaca
        assert settings().keys().source == "nowhere"

    @pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
    def test_a_file_that_others_may_read_is_refused_in_words(self, config: Path, mode: int) -> None:
        write_keys(config, 'POLYGON_API_KEY = "s3cr3t"', mode)
        with pytest.raises(UsageError, match=r"others may read it .*chmod 600") as caught:
            settings().keys()
        assert "s3cr3t" not in str(caught.value)

    @pytest.mark.parametrize(
        "text", ['POLYGON_API_KEY = "s3cr3t', "APCA_KEY = 's3cr3t'", "POLYGON_API_KEY = 53"]
    )
    def test_a_file_that_cannot_be_read_is_told_without_its_values(self, config: Path, text: str) -> None:
        write_keys(config, text)
        with pytest.raises(UsageError) as caught:
            settings().keys()
        assert "s3cr3t" not in str(caught.value)

    def test_nothing_is_opened_until_keys_are_asked_for(self, config: Path) -> None:
        write_keys(config, "no toml", 0o644)
        assert settings().ascii is False


@pytest.mark.parametrize(
    ("environ", "ascii_only", "no_color"),
    [
        ({}, False, False),
        ({"LIU_ASCII": "1", "NO_COLOR": "1"}, True, True),
        ({"LIU_ASCII": "0", "NO_COLOR": ""}, False, False),
    ],
)
def test_drawing_follows_the_environment(
    environ: Mapping[str, str], ascii_only: bool, no_color: bool
) -> None:
    read = Settings.read(environ)
    assert (read.ascii, read.no_color) == (ascii_only, no_color)


class TestWorkspace:
    def test_it_is_the_folder_above_the_plans_folder(self, tmp_path: Path) -> None:
        space = Workspace.of(tmp_path / "ws" / "plans" / "today.toml", settings())
        assert space.root == tmp_path / "ws"
        assert space.home == tmp_path / "ws" / ".liu"

    def test_else_the_nearest_above_the_current_folder(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "ws" / "plans").mkdir(parents=True)
        (tmp_path / "ws" / "deep" / "er").mkdir(parents=True)
        monkeypatch.chdir(tmp_path / "ws" / "deep" / "er")
        assert Workspace.of(tmp_path / "elsewhere" / "today.toml", settings()).root == tmp_path / "ws"
        assert Workspace.nearest(settings=settings()).root == tmp_path / "ws"

    def test_a_kept_folder_makes_a_workspace_too(self, tmp_path: Path) -> None:
        (tmp_path / "ws" / ".liu").mkdir(parents=True)
        (tmp_path / "ws" / "below").mkdir()
        assert Workspace.nearest(tmp_path / "ws" / "below", settings()).root == tmp_path / "ws"

    def test_a_link_to_a_plan_means_the_plan(self, tmp_path: Path) -> None:
        (tmp_path / "ws" / "plans").mkdir(parents=True)
        plan = tmp_path / "ws" / "plans" / "today.toml"
        plan.touch()
        (tmp_path / "link.toml").symlink_to(plan)
        assert Workspace.of(tmp_path / "link.toml", settings()).root == tmp_path / "ws"

    def test_liu_home_names_another_place(self, tmp_path: Path) -> None:
        space = Workspace.of(tmp_path / "plans" / "p.toml", settings(LIU_HOME=str(tmp_path / "kept")))
        assert space.db == tmp_path / "kept" / "liu.db"

    def test_looking_for_a_workspace_makes_nothing(self, tmp_path: Path) -> None:
        Workspace.of(tmp_path / "plans" / "p.toml", settings())
        assert list(tmp_path.iterdir()) == []

    def test_its_folders_are_private(self, tmp_path: Path) -> None:
        space = Workspace.nearest(tmp_path, settings())
        folders = [
            space.market_dir,
            space.sessions_dir,
            space.logs_dir,
            space.recordings_dir,
            space.db.parent,
        ]
        assert {stat.S_IMODE(folder.stat().st_mode) for folder in folders} == {0o700}
        assert space.cache_db.parent == space.db.parent == tmp_path / ".liu"

    def test_a_folder_that_was_open_is_closed(self, tmp_path: Path) -> None:
        (tmp_path / ".liu").mkdir(mode=0o755)
        _ = Workspace.nearest(tmp_path, settings()).db
        assert stat.S_IMODE((tmp_path / ".liu").stat().st_mode) == 0o700

    def test_a_link_in_its_place_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "real").mkdir()
        (tmp_path / "link").symlink_to(tmp_path / "real")
        with pytest.raises(RefusedError, match="not a folder"):
            private_folder(tmp_path / "link")

    def test_a_folder_of_somebody_else_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("liu_tui.settings.os.getuid", lambda: os.geteuid() + 1)
        with pytest.raises(RefusedError, match="another user"):
            private_folder(tmp_path)


class TestSockets:
    def test_they_lie_in_the_runtime_folder(self, tmp_path: Path) -> None:
        # Not under tmp_path: beside several test workers that may be too long for a socket.
        with tempfile.TemporaryDirectory(prefix="run") as short:
            path = Workspace(tmp_path, tmp_path / ".liu", Path(short)).socket_path("b" * 36)
            assert path.parent == Path(short) / "liu-tui"
            assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700

    def test_a_path_that_is_too_long_gives_way_to_a_private_folder(self, tmp_path: Path) -> None:
        deep = tmp_path / ("x" * SOCKET_PATH_MAX)
        deep.mkdir()
        path = Workspace(tmp_path, tmp_path / ".liu", deep).socket_path("batch")
        assert path.parent == Path(f"/tmp/liu-tui-{os.getuid()}")
        assert len(os.fsencode(path)) <= SOCKET_PATH_MAX

    def test_a_runtime_folder_that_has_gone_gives_way_too(self, tmp_path: Path) -> None:
        space = Workspace(tmp_path, tmp_path / ".liu", tmp_path / "gone")
        assert space.socket_path("batch").parent.name == f"liu-tui-{os.getuid()}"

    def test_each_batch_of_each_workspace_has_its_own(self, tmp_path: Path) -> None:
        one, two = (Workspace(tmp_path, tmp_path / name) for name in ("a", "b"))
        paths = {space.socket_path(batch) for space in (one, two) for batch in ("1", "2")}
        assert len(paths) == 4
        assert one.socket_path("1") == one.socket_path("1")
