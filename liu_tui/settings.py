"""What holds on this machine: environment, keys, and the places where a workspace keeps things.

The only reader of os.environ. Nothing here says what to run: that is the plan's.
"""

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import platformdirs
import tomlkit
from tomlkit.exceptions import TOMLKitError

from liu_tui.errors import RefusedError, UsageError

APP = "liu-tui"
KEY_NAMES = ("APCA_API_KEY_ID", "APCA_API_SECRET_KEY", "POLYGON_API_KEY")
SOCKET_PATH_MAX = 103
"""Bytes. macOS keeps 104 for a unix socket's path, the closing NUL among them; Linux 108."""
_PRIVATE = 0o700
_OTHERS = 0o077


class Secret:
    """A text that no repr, log line or crash report shows. Only reveal() tells it."""

    __slots__ = ("_text",)

    def __init__(self, text: str = "") -> None:
        self._text = text

    def reveal(self) -> str:
        """Tell the text: for the request that needs it, and nothing else."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return "********" if self._text else "(none)"

    def __reduce__(self) -> str:
        raise TypeError("a Secret is not sent anywhere: each process reads its own")


_NONE = Secret()


@dataclass(frozen=True)
class Keys:
    """The vendors' keys; empty where there are none. source: where they were found, in words."""

    alpaca_id: Secret = _NONE
    alpaca_secret: Secret = _NONE
    polygon: Secret = _NONE
    source: str = "nowhere"

    @property
    def alpaca(self) -> bool:
        """Whether both halves of Alpaca's pair are there."""
        return bool(self.alpaca_id) and bool(self.alpaca_secret)

    def known(self) -> tuple[str, ...]:
        """Tell the secret texts that are set: what a log must mask."""
        return tuple(key.reveal() for key in (self.alpaca_id, self.alpaca_secret, self.polygon) if key)


@dataclass(frozen=True)
class Settings:
    """What the environment says, read once.

    home:        LIU_HOME: a folder to use in place of the workspace's .liu
    runtime_dir: XDG_RUNTIME_DIR: where sockets lie
    config_dir:  where this user's keys.toml may lie
    exported:    the keys that the environment holds
    ascii:       LIU_ASCII: draw with ASCII signs only
    plain:       LIU_PLAIN: do without the extra `fast`, though it is installed
    no_color:    NO_COLOR, as no-color.org has it: set and not empty
    term, colorterm, over_ssh: what the terminal says of itself
    """

    home: Path | None = None
    runtime_dir: Path | None = None
    config_dir: Path = Path()
    exported: Keys = Keys()
    ascii: bool = False
    plain: bool = False
    no_color: bool = False
    term: str = ""
    colorterm: str = ""
    over_ssh: bool = False

    @classmethod
    def read(cls, environ: Mapping[str, str] | None = None) -> "Settings":
        """Read the environment (os.environ, if none is given). Opens no file."""
        said = os.environ if environ is None else environ
        return cls(
            home=_path(said.get("LIU_HOME")),
            runtime_dir=_path(said.get("XDG_RUNTIME_DIR")),
            config_dir=platformdirs.user_config_path(APP),
            exported=_keys(said, "the environment"),
            ascii=said.get("LIU_ASCII", "") not in ("", "0"),
            plain=said.get("LIU_PLAIN", "") not in ("", "0"),
            no_color=bool(said.get("NO_COLOR")),
            term=said.get("TERM", ""),
            colorterm=said.get("COLORTERM", ""),
            over_ssh="SSH_CONNECTION" in said,
        )

    @property
    def keys_file(self) -> Path:
        """Where keys may lie that are not in the environment."""
        return self.config_dir / "keys.toml"

    def keys(self) -> Keys:
        """Read the keys from the environment, or else from keys.toml.

        A pair is never mixed from both places.
        Raises UsageError if the file is open to others, or cannot be read.
        """
        exported = self.exported
        if (exported.alpaca and exported.polygon) or not self.keys_file.exists():
            return exported
        filed = _keys(_read_keys(self.keys_file), str(self.keys_file))
        pair = exported if exported.alpaca_id or exported.alpaca_secret else filed
        polygon = exported.polygon or filed.polygon
        sources = {keys.source for keys in (exported, filed) if keys.known()}
        return Keys(pair.alpaca_id, pair.alpaca_secret, polygon, " and ".join(sorted(sources)) or "nowhere")


def _path(text: str | None) -> Path | None:
    return Path(text).expanduser().absolute() if text else None


def _keys(said: Mapping[str, str], source: str) -> Keys:
    key_id, secret, polygon = (Secret(said.get(name, "").strip()) for name in KEY_NAMES)
    return Keys(key_id, secret, polygon, source if key_id or secret or polygon else "nowhere")


def _read_keys(file: Path) -> dict[str, str]:
    """keys.toml: the names of KEY_NAMES, each a text. No message repeats a value of it."""
    where = str(file)
    _refuse_shared(file)
    try:
        said = tomlkit.parse(file.read_text("utf-8")).unwrap()
    except (OSError, TOMLKitError, ValueError) as e:
        # The reader's own words may quote the line, so they are not repeated.
        raise UsageError(
            "cannot be read as TOML", where=where, mend='Write lines such as APCA_API_KEY_ID = "...".'
        ) from e
    for name, value in said.items():
        if name not in KEY_NAMES or not isinstance(value, str):
            mend = f"Known names are {', '.join(KEY_NAMES)}, each with a text in quotes."
            raise UsageError(f"cannot take {name!r}", where=where, mend=mend)
    return said


def _refuse_shared(file: Path) -> None:
    status = file.stat()
    if status.st_uid != os.getuid():
        raise UsageError("belongs to another user", where=str(file), mend="Make it yours, or delete it.")
    mode = stat.S_IMODE(status.st_mode)
    if mode & _OTHERS:
        said = f"others may read it (mode {mode:04o})"
        raise UsageError(said, where=str(file), mend=f"Run: chmod 600 {file}")


@dataclass(frozen=True)
class Workspace:
    """One trader's folder: plans, strategies and scanners in `root`, what the house keeps in `home`.

    Folders are made when they are first asked for, private to the user.
    """

    root: Path
    home: Path
    runtime_dir: Path | None = None

    @classmethod
    def of(cls, plan: Path, settings: Settings | None = None) -> "Workspace":
        """Find the workspace of a plan: the folder above its own `plans/`, else the nearest above here.

        A plan that lies in neither has its own folder as workspace.
        """
        plan = plan.expanduser().resolve()
        if plan.parent.name == "plans":
            return cls._at(plan.parent.parent, settings)
        return cls._at(_nearest(Path.cwd()) or _nearest(plan.parent) or plan.parent, settings)

    @classmethod
    def nearest(cls, cwd: Path | None = None, settings: Settings | None = None) -> "Workspace":
        """Find the workspace of a folder: the nearest at or above it with plans/ or .liu; else itself."""
        here = (cwd or Path.cwd()).resolve()
        return cls._at(_nearest(here) or here, settings)

    @classmethod
    def _at(cls, root: Path, settings: Settings | None) -> "Workspace":
        settings = settings or Settings.read()
        return cls(root, settings.home or root / ".liu", settings.runtime_dir)

    @property
    def db(self) -> Path:
        """The books."""
        return self._home() / "liu.db"

    @property
    def cache_db(self) -> Path:
        """What can be fetched again."""
        return self._home() / "cache.db"

    @property
    def market_dir(self) -> Path:
        """The local market's ledger."""
        return private_folder(self._home() / "market")

    @property
    def sessions_dir(self) -> Path:
        """What runs, and how to reach it."""
        return private_folder(self._home() / "sessions")

    @property
    def logs_dir(self) -> Path:
        """Log files, one a process."""
        return private_folder(self._home() / "logs")

    @property
    def recordings_dir(self) -> Path:
        """Recorded sessions."""
        return private_folder(self._home() / "recordings")

    def socket_path(self, batch_id: str) -> Path:
        """Name the unix socket of a batch: the same for everyone who asks, short enough for every system.

        Write it down where the session is listed: XDG_RUNTIME_DIR may differ in another login.
        Raises RefusedError if the folder belongs to somebody else.
        """
        name = hashlib.sha256(f"{self.home}\0{batch_id}".encode()).hexdigest()[:16] + ".sock"
        for folder in _socket_folders(self.runtime_dir):
            if len(os.fsencode(folder / name)) <= SOCKET_PATH_MAX:
                return private_folder(folder) / name
        raise RefusedError("no folder with a short enough path for a socket", mend="Set XDG_RUNTIME_DIR.")

    def _home(self) -> Path:
        return private_folder(self.home)


def private_folder(path: Path) -> Path:
    """Make a folder that only its owner can enter, or check one that is there. Returns it.

    Raises RefusedError if it is a link, a file, or another user's.
    """
    with suppress(FileExistsError):
        path.mkdir(mode=_PRIVATE, parents=True)
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode):
        raise RefusedError("is not a folder", where=str(path), mend="Move it away.")
    if status.st_uid != os.getuid():
        raise RefusedError("belongs to another user", where=str(path), mend="Ask its owner to remove it.")
    if stat.S_IMODE(status.st_mode) & _OTHERS:
        path.chmod(_PRIVATE)
    return path


def _nearest(folder: Path) -> Path | None:
    for above in (folder, *folder.parents):
        if (above / "plans").is_dir() or (above / ".liu").is_dir():
            return above
    return None


def _socket_folders(runtime_dir: Path | None) -> Iterator[Path]:
    if runtime_dir is not None and runtime_dir.is_dir() and os.access(runtime_dir, os.W_OK):
        yield runtime_dir / APP
    # The fixed folder, not the temporary one of this login: another login must find the same.
    yield Path(f"/tmp/{APP}-{os.getuid()}")  # noqa: S108 - its owner and mode are checked
