"""The names of the simulated market: a hundred and more that everybody knows, and made-up ones between them.

The list is always the same; a market of n symbols has its first n. Prices are of the right size and no more.
"""

from functools import lru_cache
from typing import Final

import msgspec

MOST: Final = 2_000
_ARCA, _NASDAQ, _NYSE = "ARCA", "NASDAQ", "NYSE"
_TAPES: Final = {_NYSE: "A", _ARCA: "B", _NASDAQ: "C"}


class Listing(msgspec.Struct, frozen=True):
    """One name. price: dollars, its usual level; activity: round-lot trades of a usual day."""

    symbol: str
    name: str
    exchange: str
    kind: str  # etf, large, small
    price: float
    activity: float

    @property
    def tape(self) -> str:
        """The consolidated tape that carries it: A, B or C."""
        return _TAPES[self.exchange]


# Symbol, exchange (P Arca, Q Nasdaq, N New York), price, name; the busiest first.
_KNOWN: Final = """
SPY P 585 SPDR S&P 500 ETF|NVDA Q 138 NVIDIA|TSLA Q 248 Tesla|AAPL Q 227 Apple|QQQ Q 495 Invesco QQQ Trust
AMD Q 156 Advanced Micro Devices|AMZN Q 188 Amazon.com|PLTR N 43 Palantir|MSFT Q 416 Microsoft|META Q 580 Meta
GOOGL Q 164 Alphabet|INTC Q 23 Intel|BAC N 42 Bank of America|F N 11 Ford Motor|IWM P 221 iShares Russell 2000
SOFI Q 10 SoFi|MARA Q 18 MARA Holdings|NIO N 6 NIO|COIN Q 205 Coinbase|AVGO Q 176 Broadcom|T N 21 AT&T
UBER N 79 Uber|PFE N 29 Pfizer|RIVN Q 10 Rivian|C N 64 Citigroup|MU Q 108 Micron|CSCO Q 54 Cisco|GE N 190 GE
DIS N 96 Walt Disney|WFC N 63 Wells Fargo|XLF P 47 Financial Select SPDR|NFLX Q 722 Netflix|JPM N 222 JPMorgan
HOOD Q 26 Robinhood|SNAP N 10 Snap|CCL N 20 Carnival|XOM N 120 Exxon Mobil|KO N 70 Coca-Cola|BA N 152 Boeing
PYPL Q 80 PayPal|GM N 48 General Motors|BABA N 102 Alibaba|WMT N 81 Walmart|SHOP N 80 Shopify|V N 284 Visa
ORCL N 175 Oracle|CRM N 288 Salesforce|XLE P 90 Energy Select SPDR|GLD P 245 SPDR Gold|DAL N 55 Delta Air Lines
UAL Q 73 United Airlines|AAL Q 12 American Airlines|CVX N 150 Chevron|JNJ N 164 Johnson & Johnson|QCOM Q 170 Qualcomm
SMCI Q 47 Super Micro|ROKU Q 78 Roku|SQ N 71 Block|LYFT Q 14 Lyft|DKNG Q 38 DraftKings|NKE N 82 Nike|TLT Q 94 iShares 20+ Treasury
ABNB Q 134 Airbnb|COST Q 892 Costco|HD N 408 Home Depot|MCD N 313 McDonald's|PEP Q 174 PepsiCo|ADBE Q 498 Adobe
TXN Q 202 Texas Instruments|LLY N 915 Eli Lilly|UNH N 568 UnitedHealth|MRK N 108 Merck|ABBV N 190 AbbVie|GS N 525 Goldman Sachs
MS N 112 Morgan Stanley|SCHW N 70 Charles Schwab|VZ N 43 Verizon|CMCSA Q 42 Comcast|SBUX Q 96 Starbucks|TGT N 152 Target
LOW N 272 Lowe's|CAT N 392 Caterpillar|DE N 405 Deere|UPS N 134 UPS|FDX N 270 FedEx|LMT N 610 Lockheed Martin
RTX N 125 RTX|HON Q 218 Honeywell|MMM N 135 3M|IBM N 233 IBM|NOW N 910 ServiceNow|PANW Q 372 Palo Alto Networks
CRWD Q 305 CrowdStrike|SNOW N 118 Snowflake|DDOG Q 125 Datadog|NET N 90 Cloudflare|ZS Q 185 Zscaler|MDB Q 275 MongoDB
OKTA Q 74 Okta|TWLO N 70 Twilio|ZM Q 70 Zoom|PINS N 32 Pinterest|SPOT N 375 Spotify|RBLX N 41 Roblox|EA Q 145 Electronic Arts
MRNA Q 55 Moderna|GILD Q 86 Gilead|AMGN Q 322 Amgen|BIIB Q 187 Biogen|VRTX Q 475 Vertex|REGN Q 1010 Regeneron
CVS N 62 CVS Health|CLF N 13 Cleveland-Cliffs|FCX N 47 Freeport-McMoRan|X N 38 U.S. Steel|NEM N 55 Newmont|AA N 40 Alcoa
OXY N 52 Occidental|SLB N 42 Schlumberger|HAL N 29 Halliburton|DVN N 40 Devon Energy|KMI N 25 Kinder Morgan|VLO N 132 Valero
MO N 50 Altria|PM N 121 Philip Morris|KHC Q 35 Kraft Heinz|MDLZ Q 71 Mondelez|CL N 98 Colgate-Palmolive|PG N 171 Procter & Gamble
EBAY Q 62 eBay|ETSY Q 50 Etsy|W N 48 Wayfair|CHWY N 28 Chewy|GME N 22 GameStop|AMC N 4 AMC Entertainment|LCID Q 3 Lucid
"""  # noqa: E501 - a table

_FIRST: Final = """
Alder Arbor Aster Aurora Basalt Beacon Birch Bluff Brook Cairn Canyon Cedar Cinder Clover Cobalt
Comet Coral Crane Delta Drift Dune Ember Falcon Fern Flint Forge Garnet Glacier Granite Harbor Hazel
Heron Indigo Iron Juniper Kestrel Lantern Larch Linden Lumen Maple Meridian Mesa Mica Nimbus North
Onyx Orchid Osprey Pebble Pine Prairie Quartz Raven Ridge River Rowan Sable Sierra Slate Summit
Tamarack Thistle Timber Umber Velvet Vesper Willow Wren Zephyr
"""
_SECOND: Final = """
Aero Analytics Bancorp Biotech Brands Capital Chemical Cloud Devices Diagnostics Energy Foods Gaming
Genomics Grid Health Hydrogen Industries Interactive Labs Logistics Materials Medical Mining Motors
Networks Oil Pharma Photonics Power Realty Robotics Semiconductor Software Solar Systems
Therapeutics Transit Water
"""


@lru_cache(maxsize=8)
def listings(symbols: int) -> tuple[Listing, ...]:
    """Return the first `symbols` names: three that are known, then two made up, until the known are used up.

    Raises ValueError outside 1 to 2,000.
    """
    if not 1 <= symbols <= MOST:
        raise ValueError(f"a simulated market has 1 to {MOST} symbols, was {symbols}")
    known = _known()
    made = iter(_made_up({listing.symbol for listing in known}))
    mixed: list[Listing] = []
    for n, listing in enumerate(known):
        mixed.append(listing)
        if n % 3 == 2:
            mixed += [next(made), next(made)]
    return (*mixed, *made)[:symbols]


def _known() -> list[Listing]:
    rows = [row for line in _KNOWN.strip().splitlines() for row in line.split("|")]
    return [_known_one(row, rank) for rank, row in enumerate(rows)]


def _known_one(row: str, rank: int) -> Listing:
    symbol, place, price, name = row.split(" ", 3)
    exchange = {"P": _ARCA, "Q": _NASDAQ, "N": _NYSE}[place]
    kind = "etf" if exchange == _ARCA or symbol in ("QQQ", "TLT") else "large"
    return Listing(symbol, name, exchange, kind, float(price), 8_000 * (1 + rank) ** -0.22)


def _made_up(taken: set[str]) -> list[Listing]:
    out: list[Listing] = []
    seen = set(taken)
    firsts, seconds = _FIRST.split(), _SECOND.split()
    for n in range(MOST):
        # 70 first words and 39 second ones have no common factor: counting both up visits every pair once.
        first, second = firsts[n % len(firsts)], seconds[n % len(seconds)]
        symbol = _ticker(first, second, seen)
        seen.add(symbol)
        # Cheap and quiet as small companies are: 2 to 90 dollars, 60 to 1,000 trades a day.
        price = 2.0 + (n * 37 % 100) ** 2 / 114
        activity = 60.0 + (n * 53 % 97) ** 2 / 10
        exchange = _NASDAQ if n % 3 else _NYSE
        out.append(Listing(symbol, f"{first} {second}", exchange, "small", price, activity))
    return out


def _ticker(first: str, second: str, taken: set[str]) -> str:
    head, rest, word = first[:2].upper(), first[2:].upper(), second.upper()
    tails = [word[:2], word[0] + word[2], rest[0] + word[0], rest[-1] + word[0], word[0] + "X"]
    tails += [a + b for a in word + rest for b in word + rest]
    tails += [a + b for a in "XQZKVJ" for b in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
    return next(head + tail for tail in tails if head + tail not in taken)
