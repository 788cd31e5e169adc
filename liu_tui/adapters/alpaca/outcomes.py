"""What became of a request to the broker, when it went wrong. The heart of not sending an order twice.

    nothing left this machine (refused, no such host, certificate)   BrokerAway     send again
    429: the broker did not look at it                               BrokerAway     send again
    any other 4xx: a definite no                                     OrderRefused   TraderError if a question
    time-out or broken line after sending, 5xx, unreadable answer    OrderUnknown   ask, never send again

An answer to a mere question may be lost without harm: then all but a 4xx is BrokerAway.
"""

import contextlib
import ssl
from typing import Any

import msgspec
import requests
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from liu_tui.errors import BrokerAway, OrderRefused, OrderUnknown, TraderError

WHERE = "alpaca trading"
_NEVER_LEFT = (
    NewConnectionError,
    ConnectTimeoutError,
    ssl.SSLCertVerificationError,
    requests.exceptions.ConnectTimeout,
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidHeader,
)
_MEND_AWAY = "Check the network; see 'liu-tui doctor'."
_MEND_UNKNOWN = "The order may live: the broker is asked for it."
_MEND_KEYS = "Check APCA_API_KEY_ID and APCA_API_SECRET_KEY; paper keys need the paper URL."


class _Body(msgspec.Struct, frozen=True):
    """An error's body; anything in it may be missing."""

    code: int = 0
    message: str = ""


def after_fault(e: Exception, *, ordering: bool) -> TraderError:
    """Judge an exception of the transport, or an answer that is no JSON.

    ordering: the request asked for an order, so that sending it twice would be wrong.
    """
    words = f"{type(e).__name__}: {e}"
    if not ordering or _never_left(e):
        return BrokerAway(words, where=WHERE, mend=_MEND_AWAY)
    return OrderUnknown(words, where=WHERE, mend=_MEND_UNKNOWN)


def after_answer(status: int, text: str, *, ordering: bool, reset: str = "") -> TraderError:
    """Judge an answer that is not a success. reset: what X-RateLimit-Reset said."""
    body = _read(text)
    words = f"{body.message or 'no reason given'} ({status})"
    known: dict[str, Any] = {"where": WHERE, "status": status, "broker_code": body.code}
    if status == 429:
        until = f" until {reset} (Unix time)" if reset else ""
        return BrokerAway(f"too many requests{until} (429)", mend="The allowance is 200 a minute.", **known)
    if 400 <= status < 500 and status != 408:
        mend = _MEND_KEYS if status == 401 or (status == 403 and not body.code) else ""
        kind = OrderRefused if ordering else TraderError
        return kind(words, mend=mend, **known)
    if ordering:
        return OrderUnknown(words, mend=_MEND_UNKNOWN, **known)
    return BrokerAway(words, mend=_MEND_AWAY, **known)


def _never_left(e: BaseException) -> bool:
    """Whether the cause, however deeply wrapped, is one of before the first byte."""
    seen: set[int] = set()
    waiting: list[object] = [e]
    while waiting:
        one = waiting.pop()
        if isinstance(one, _NEVER_LEFT):
            return True
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
    return False


def _read(text: str) -> _Body:
    with contextlib.suppress(msgspec.MsgspecError):
        return msgspec.json.decode(text.encode(), type=_Body, strict=False)
    return _Body(message=" ".join(text.split())[:200])
