"""Latches: what is stored of a flatten, and what comes back."""

from __future__ import annotations

from liu_tui.trading.book import Book
from liu_tui.trading.effects import Latched
from liu_tui.trading.latches import Latch, Latches


def test_the_first_flatten_of_a_scope_stays_and_is_stored_once() -> None:
    book = Book()
    latches = Latches(book)
    first = latches.set("TSLA", "ann", "news", 5)
    assert latches.set("TSLA", "max", "again", 9) == first == Latch("ann", "news", 5)
    assert book.take() == [Latched("TSLA", 5, "ann", "news", 0)]


def test_a_flatten_of_everything_holds_every_symbol() -> None:
    latches = Latches(Book())
    one = latches.set("TSLA", "ann", "", 5)
    assert (latches.on("TSLA"), latches.on("F")) == (one, None)
    every = latches.set("", "max", "", 6)
    assert latches.on("TSLA") == latches.on("F") == every


def test_an_ended_flatten_is_stored_with_its_outcome_and_does_not_come_back() -> None:
    book = Book()
    latches = Latches(book)
    latches.set("", "ann", "news", 5)
    latches.set("TSLA", "ann", "", 6)
    latches.end("", "released by max", 8)
    begun, other, ended = book.take()
    assert ended == Latched("", 5, "ann", "news", 0, 8, "released by max")
    again = Latches(Book())
    again.restore([row for row in (ended, other) if isinstance(row, Latched)])
    assert again.all == {"TSLA": Latch("ann", "", 6)}
    assert isinstance(begun, Latched)


def test_a_flatten_says_who_asked_and_why() -> None:
    assert Latch("ann", "news", 5).words == "flatten by ann: news"
    assert Latch("ann", "", 5).words == "flatten by ann"
