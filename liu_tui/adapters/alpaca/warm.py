"""alpaca-py's TradingClient, made fit for a desk, and its connections kept open.

Untouched it waits for ever, sleeps three seconds between tries, repeats even the POST of an order after a
504, and reads the environment's proxies and ~/.netrc anew for every request. So private fields of its are set
here, which is why its minor version is pinned.

A new connection costs an order two or three ways to the venue and back before its first byte leaves, so
several are made at the start, and made again when the venue has closed them. One that died without a word is
found by the kernel's probes. What still goes wrong on a connection that looked open is judged in `outcomes`:
nothing is ever sent twice by the library.
"""

import contextlib
import socket
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from liu_tui.adapters.net.loopback import is_loopback

CONNECT_S = 5.0
CONNECTIONS = 8
"""As many as threads that send: a flattening of 30 positions goes out eight at a time."""
_IMPORTING = threading.Lock()
"""Two threads that import the same ring of modules at once may see half of one."""
Heard = Callable[[int, Mapping[str, str]], None]
"""Takes the status and the headers of each answer."""


def make_client(url: str, key: str, secret: str, answer_s: float, heard: Heard) -> Any:
    """Make the client. It imports alpaca-py: over a second.

    Raises ImportError, or ValueError for keys that are none.
    """
    with _IMPORTING:
        from alpaca.trading.client import TradingClient

    client = TradingClient(key, secret, raw_data=True, url_override=url)
    client._retry = 0
    session = client._session
    _know_the_surroundings(session, url)
    session.mount(url, _adapter())
    session.request = partial(session.request, timeout=(CONNECT_S, answer_s))
    session.hooks["response"].append(partial(_hear, heard))
    return client


def keep_warm(client: Any, url: str) -> None:
    """Open the connections that are not open. What fails is left: a request will make its own, or say why."""
    from urllib3.exceptions import HTTPError

    if client._session.proxies:
        return  # its tunnels are the library's own affair
    taken: list[Any] = []
    with contextlib.suppress(HTTPError, OSError, ValueError):
        pool = _pool(client, url)
        for _ in range(CONNECTIONS):
            # Taking one closes it, if the other side has hung up.
            taken.append(pool._get_conn(timeout=0))
            if not taken[-1].is_connected:
                taken[-1].connect()
    for connection in taken:
        pool._put_conn(connection)


def hang_up(client: Any, url: str) -> None:
    """Close the connections now; the library would leave that to the collector. May be called twice."""
    with contextlib.suppress(OSError, ValueError):  # an address that is none has no connections
        _pool(client, url).close()
    client._session.close()


def _pool(client: Any, url: str) -> Any:
    """Find the very pool that a request would take: it depends on how certificates are checked."""
    from requests import Request

    session = client._session
    return session.get_adapter(url).get_connection_with_tls_context(
        Request("GET", url).prepare(), session.verify, proxies=session.proxies, cert=session.cert
    )


def _know_the_surroundings(session: Any, url: str) -> None:
    """Ask the environment once, and not for each request. Its proxies are for the outside world only."""
    if not is_loopback(url):
        found = session.merge_environment_settings(url, {}, None, None, None)
        session.proxies, session.verify = found["proxies"], found["verify"]
    session.trust_env = False


def _adapter() -> Any:
    from requests.adapters import HTTPAdapter
    from urllib3.connection import HTTPConnection

    class Adapter(HTTPAdapter):
        """Asks once, holds more connections than there are threads, and lets the kernel look after them."""

        def init_poolmanager(self, *words: Any, **more: Any) -> None:
            options = [*HTTPConnection.default_socket_options, *_PROBES]  # the default is TCP_NODELAY
            super().init_poolmanager(*words, socket_options=options, **more)

    # While one thread warms them all, each of the others may have made its own: there is room for those too.
    return Adapter(pool_connections=2, pool_maxsize=2 * CONNECTIONS, max_retries=0)


def _hear(heard: Heard, answer: Any, *_words: Any, **_more: Any) -> None:
    from requests.exceptions import TooManyRedirects

    heard(answer.status_code, answer.headers)
    if 300 <= answer.status_code < 400:
        # Followed, an order might be placed elsewhere; read as a success, a cancel would look done.
        raise TooManyRedirects(f"the broker redirects to {answer.headers.get('Location', 'nowhere')}")


def _probes() -> list[tuple[int, int, int]]:
    """Ask a silent peer after 15 s, and give it up 15 s later. Names differ by system."""
    seconds = {"TCP_KEEPIDLE": 15, "TCP_KEEPALIVE": 15, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}
    named = [
        (socket.IPPROTO_TCP, getattr(socket, name), value)
        for name, value in seconds.items()
        if hasattr(socket, name)
    ]
    return [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), *named]


_PROBES = _probes()
