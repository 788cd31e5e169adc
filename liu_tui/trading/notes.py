"""What the tape says of a symbol beside prices, given to its series; live and in a backtest alike."""

from liu_tui.market.series import Series
from liu_tui.model.market import Halt, MarketNote, PriceBand


def take_note(series: Series, note: MarketNote) -> bool:
    """Let a series know of a halt, a price band, a correction or a cancellation.

    returns: False if the print that was corrected or taken back lies in a minute that is closed already: then
             only the vendor's history can say what that minute is now
    """
    if isinstance(note, Halt):
        series.on_halt(note)
    elif isinstance(note, PriceBand):
        series.on_band(note)
    else:
        return series.amend(note)
    return True
