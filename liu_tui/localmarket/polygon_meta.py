"""What Polygon's numbers mean. Source: Massive's `/v3/reference/conditions` and `/v3/reference/exchanges`."""

from liu_tui.adapters.polygon.codes import CTA_LETTERS, EXCHANGE_NUMBERS, UTP_LETTERS
from liu_tui.localmarket.meta import EXCHANGES
from liu_tui.market.conditions import HIGH_LOW, OPEN_CLOSE, VOLUME, effect

MARKET_CODES = {"NYSE": "XNYS", "NASDAQ": "XNAS", "ARCA": "ARCX", "NYSEARCA": "ARCX", "AMEX": "XASE"}
"""The broker's word for an exchange -> its market code."""
ANY_MARKET = "XNAS"

_NAMES = {
    0: "Regular Sale",
    1: "Acquisition",
    2: "Average Price Trade",
    3: "Automatic Execution",
    4: "Bunched Trade",
    5: "Bunched Sold Trade",
    7: "Cash Sale",
    8: "Closing Prints",
    9: "Cross Trade",
    10: "Derivatively Priced",
    11: "Distribution",
    12: "Form T/Extended Hours",
    13: "Extended Hours (Sold Out Of Sequence)",
    14: "Intermarket Sweep",
    15: "Market Center Official Close",
    16: "Market Center Official Open",
    17: "Market Center Opening Trade",
    18: "Market Center Reopening Trade",
    19: "Market Center Closing Trade",
    20: "Next Day",
    21: "Price Variation Trade",
    22: "Prior Reference Price",
    23: "Rule 155 Trade (AMEX)",
    25: "Opening Prints",
    27: "Stopped Stock (Regular Trade)",
    28: "Re-Opening Prints",
    29: "Seller",
    30: "Sold Last",
    33: "Sold (Out Of Sequence)",
    34: "Split Trade",
    36: "Yellow Flag Regular Trade",
    37: "Odd Lot Trade",
    38: "Corrected Consolidated Close",
    52: "Contingent Trade",
    53: "Qualified Contingent Trade",
    59: "Placeholder For 611 Exempt",
}


def conditions() -> list[dict[str, object]]:
    """The sale conditions, with what each allows a trade to set in regular hours."""
    return [_condition(number, name) for number, name in _NAMES.items()]


def exchanges() -> list[dict[str, object]]:
    """The exchanges that print."""
    return [
        {
            "id": number,
            "type": "exchange",
            "asset_class": "stocks",
            "locale": "us",
            "name": EXCHANGES.get(letter, letter),
            "participant_id": letter,
        }
        for letter, number in EXCHANGE_NUMBERS.items()
        if letter in EXCHANGES
    ]


def _condition(number: int, name: str) -> dict[str, object]:
    letters = {"CTA": CTA_LETTERS.get(number), "UTP": UTP_LETTERS.get(number)}
    known = {sip: letter for sip, letter in letters.items() if letter is not None}
    tape, letter = ("C", known["UTP"]) if "UTP" in known else ("A", known["CTA"])
    may = effect((letter,), tape, regular=True)
    rules = {
        "updates_high_low": bool(may & HIGH_LOW),
        "updates_open_close": bool(may & OPEN_CLOSE),
        "updates_volume": bool(may & VOLUME),
    }
    return {
        "id": number,
        "type": "sale_condition",
        "name": name,
        "asset_class": "stocks",
        "sip_mapping": known,
        "update_rules": {"consolidated": rules},
        "data_types": ["trade"],
    }
