"""What the venue says of itself: its listings, and the account. Told by the driver, read by the rules."""

from collections.abc import Mapping

from liu_tui.model.account import Account
from liu_tui.model.market import Asset


class VenueFacts:
    """One object for the whole desk, so that what is learnt later is seen by all.

    assets:  symbol -> its listing; empty until learnt: then nothing is refused for a listing's sake
    account: as the broker told it last; None until it is known
    """

    def __init__(self) -> None:
        self.assets: Mapping[str, Asset] = {}
        self.account: Account | None = None
