"""What the letters in trades and quotes mean: those that occur. Source: Alpaca's meta endpoints."""

EXCHANGES = {
    "A": "NYSE American (AMEX)",
    "B": "NASDAQ OMX BX",
    "C": "National Stock Exchange",
    "D": "FINRA ADF",
    "J": "Cboe EDGA",
    "K": "Cboe EDGX",
    "L": "Long Term Stock Exchange",
    "M": "Chicago Stock Exchange",
    "N": "New York Stock Exchange",
    "P": "NYSE Arca",
    "Q": "NASDAQ OMX",
    "U": "Members Exchange",
    "V": "IEX",
    "X": "NASDAQ OMX PSX",
    "Y": "Cboe BYX",
    "Z": "Cboe BZX",
}

TRADE_CONDITIONS = {
    "@": "Regular Sale",
    "F": "Intermarket Sweep",
    "I": "Odd Lot Trade",
    "M": "Market Center Official Close",
    "Q": "Market Center Official Open",
    "T": "Form T",
    "U": "Extended trading hours (Sold Out of Sequence)",
}

QUOTE_CONDITIONS = {"R": "Regular Two Sided Open"}
