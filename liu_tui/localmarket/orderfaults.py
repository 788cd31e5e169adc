"""Faults of the trading API's answers: lost ones, and errors that may or may not mean what they say.

| answer | was it done? |
| --- | --- |
| none: the connection breaks | yes |
| 429, 500, 502, 503 | no |
| 504 | yes |

A client can tell none of them from its opposite but by asking for the order under its own id.
"""

from collections import Counter

from aiohttp import web

from liu_tui.localmarket.faults import Fault
from liu_tui.localmarket.rest import fault as refusal
from liu_tui.plan.faultkinds import http_code
from liu_tui.plan.schema import FaultKind

KINDS = (FaultKind.LOST_ANSWER, FaultKind.HTTP_ERROR)
_BY_PROXY = {502: "Bad Gateway", 504: "Gateway Time-out"}
"""What a proxy says instead of the API, in its own words: a page, and no JSON."""
_IN_JSON = {
    429: (42910000, "too many requests"),
    500: (50010000, "internal server error occurred"),
    503: (50310000, "service unavailable"),
}


class OrderFaults:
    """Which answers of one market are struck.

    Each request is judged by its own name and by how often that name has come while faults were active, so a
    look-up more or less changes nothing for the orders.
    """

    def __init__(self) -> None:
        self._active: list[Fault] = []
        self._seen: Counter[str] = Counter()

    @property
    def busy(self) -> bool:
        """Whether any answer can be struck."""
        return bool(self._active)

    def begin(self, fault: Fault, _: int) -> None:
        """Strike answers from now on."""
        self._active.append(fault)

    def end(self, fault: Fault, _: int) -> None:
        """Strike no more of them."""
        self._active.remove(fault)
        if not self._active:
            self._seen.clear()

    def verdict(self, name: str, *, changes: bool) -> Fault | None:
        """The fault that strikes the answer to a request, None if it goes out as it is.

        name:    of the request, the same in every run
        changes: it asks for something to be done; only then can its answer be lost
        """
        self._seen[name] += 1
        drawn = f"{name}:{self._seen[name]}"
        for fault in self._active:
            if (changes or fault.table.kind is FaultKind.HTTP_ERROR) and fault.hit_on(drawn):
                return fault
        return None


def error_answer(fault: Fault) -> web.Response:
    """What an `http_error` answers with, in the spelling of whoever would say it."""
    code = http_code(fault.table)
    if code in _BY_PROXY:
        head = f"{code} {_BY_PROXY[code]}"
        page = f"<html><head><title>{head}</title></head>\n<body><h1>{head}</h1></body></html>\n"
        return web.Response(text=page, status=code, content_type="text/html")
    answer = refusal(code, *_IN_JSON[code])
    if code == 429:
        answer.headers["X-RateLimit-Remaining"] = "0"
    return answer
