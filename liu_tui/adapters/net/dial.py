"""Dialling a vendor's websocket, or one on this machine, and the two ways in which it can go wrong."""

from typing import Any, Literal, Protocol
from urllib.request import getproxies

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, InvalidURI, WebSocketException
from websockets.frames import CloseCode

from liu_tui.adapters.net.fastsocket import FastSocket, library
from liu_tui.adapters.net.loopback import is_loopback

MAX_FRAME = 16 * 1024 * 1024  # the library's 1 MiB closes the connection on a burst after the open
PING_S = 10.0
PONG_S = 60.0
"""Long: while we are behind, answers to our pings wait in the same queue as the data."""
BROKEN = (WebSocketException, OSError, EOFError)
"""What a socket raises when the line is gone."""
_OURS: dict[int, str] = {
    CloseCode.MESSAGE_TOO_BIG: f"a frame of more than {MAX_FRAME // 2**20} MiB came (1009)",
    CloseCode.INTERNAL_ERROR: "no answer to a ping in time (1011)",
}
"""Where the library itself closed, and why."""


class Lost(Exception):
    """The connection is gone; it is worth another try. slot_taken: somebody else holds the only one."""

    def __init__(self, words: str, *, slot_taken: bool = False) -> None:
        super().__init__(words)
        self.words, self.slot_taken = words, slot_taken


class Shut(Exception):
    """The door is shut for good: no use in trying again."""

    def __init__(self, words: str, *, mend: str) -> None:
        super().__init__(words)
        self.words, self.mend = words, mend


class Abortable(Protocol):
    """Something that can be cut at once."""

    def abort(self) -> None:
        """Cut it."""


class Socket(Protocol):
    """An open websocket, of either library. All raise what `BROKEN` lists, once the line is gone."""

    @property
    def transport(self) -> Abortable:
        """What is below it."""

    async def recv(self, decode: Literal[False]) -> bytes:
        """Wait for the next message."""

    async def send(self, message: str | bytes) -> None:
        """Send one."""

    async def close(self) -> None:
        """Hang up. May be called twice."""


async def dial(
    url: str,
    *,
    open_s: float,
    content_type: str = "",
    much: bool = False,
    ping_s: float = PING_S,
    pong_s: float = PONG_S,
) -> Socket:
    """Open a websocket.

    content_type: what the other side shall speak, if it has a choice
    ping_s, pong_s: between two pings, and until one must be answered; then the connection is given up
    much:         market data will come: take the faster library, if it is there and no proxy in the way

    Raises Lost or Shut.
    """
    local = is_loopback(url)
    options: dict[str, Any] = {
        "additional_headers": {"Content-Type": content_type} if content_type else None,
        "user_agent_header": "liu-tui",
        # Nothing local is worth compressing.
        "compression": None if local else "deflate",
        "max_size": MAX_FRAME,
        "max_queue": 64,
        "open_timeout": open_s,
        "close_timeout": 1,
        "ping_interval": ping_s,
        "ping_timeout": pong_s,
    }
    try:
        picows = library() if much and (local or not getproxies().keys() - {"no"}) else None
        if picows is not None:
            return await FastSocket.connect(picows, url, **options)
        # The environment's proxies are for the outside world.
        return await connect(url, proxy=None if local else True, **options)
    except InvalidURI as e:
        raise Shut(f"{url!r} is no websocket address", mend="It begins with ws:// or wss://.") from e
    except InvalidStatus as e:
        status = e.response.status_code
        if status in (408, 425, 429) or status >= 500:
            raise Lost(f"the server answered {status}") from e
        raise Shut(f"{url} answered {status}", mend="Check the feed's name and the keys.") from e
    except (*BROKEN, TimeoutError) as e:
        raise Lost(in_words(e)) from e
    except ImportError as e:  # the environment names a SOCKS proxy, for which the library needs another one
        raise Shut(str(e), mend="Install python-socks, or unset ALL_PROXY.") from e


def in_words(e: BaseException) -> str:
    """Say what broke a connection."""
    if not isinstance(e, ConnectionClosed):
        return str(e) or type(e).__name__
    if e.rcvd is not None:
        reason = f": {e.rcvd.reason}" if e.rcvd.reason else ""
        return f"the connection was closed ({e.rcvd.code}{reason})"
    ours = e.sent.code if e.sent is not None else 0
    return _OURS.get(ours, "the connection was closed (1006)")
