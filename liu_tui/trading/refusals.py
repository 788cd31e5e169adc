"""Telling of refusals without drowning the log: a strategy that asks at every bar is answered at every bar.

Each refusal is a fact of the journal and is told to its strategy. The log gets one line for the first of its
kind, and then one in a while that counts the rest.
"""

import msgspec

from liu_tui.model.market import MINUTE_NS
from liu_tui.trading.book import Book
from liu_tui.trading.codes import Refusal
from liu_tui.trading.orders import OrderRecord

EVERY_NS = 60 * MINUTE_NS


class _Line(msgspec.Struct):
    """words: of the newest refusal; more: how many came since the line was told."""

    told_ns: int
    words: str
    more: int = 0


class Refusals:
    """Lines by strategy, symbol and code."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._lines: dict[tuple[str, str, str], _Line] = {}

    def tell(self, record: OrderRecord, no: Refusal, now_ns: int) -> None:
        """Say that an order is refused, or count it if that was said a short time ago."""
        words = f"{record.strategy} {record.operation} {record.symbol} refused: {no.words}"
        key = record.strategy, record.symbol, no.code
        line = self._lines.get(key)
        if line is None:
            self._lines[key] = _Line(now_ns, words)
            self._say(words, record.symbol)
        else:
            line.words, line.more = words, line.more + 1

    def on_time(self, now_ns: int) -> None:
        """Tell what was counted for long enough; what has stopped is forgotten, and begins anew."""
        for key, line in list(self._lines.items()):
            if now_ns - line.told_ns < EVERY_NS:
                continue
            if not line.more:
                del self._lines[key]
                continue
            times = "once more" if line.more == 1 else f"{line.more} times more"
            # The count first: the words are those of the newest, which may be long ago.
            self._say(f"{times} in {EVERY_NS // MINUTE_NS} minutes: {line.words}", key[1])
            line.told_ns, line.more = now_ns, 0

    def _say(self, words: str, symbol: str) -> None:
        self._book.notice("warn", words, kind="refusal", symbol=symbol)
