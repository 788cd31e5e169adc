"""What a symbol's listing allows. The exchange knows nothing of listings: whoever stands before it asks."""

from liu_tui.model.market import Asset
from liu_tui.model.orders import OrderClass, OrderRequest, Side, TimeInForce
from liu_tui.trading.matching.refusals import forbidden, unprocessable


def check_asset(request: OrderRequest, asset: Asset | None, held: float, *, no_shorting: bool) -> None:
    """Refuse what the listing does not allow. held: signed shares of the symbol.

    Raises ExchangeRefusal.
    """
    if asset is None:
        raise unprocessable(f'asset "{request.symbol}" not found')
    if not asset.tradable:
        raise unprocessable(f'asset "{request.symbol}" is not tradable')
    if request.notional is not None or request.qty != int(request.qty):
        _check_fraction(request, asset)
    if request.side is Side.SELL and held <= 0 and request.order_class is not OrderClass.OCO:
        if not asset.shortable:
            raise unprocessable(f'asset "{request.symbol}" cannot be sold short')
        if no_shorting:
            raise forbidden("account is not allowed to short")


def _check_fraction(request: OrderRequest, asset: Asset) -> None:
    if not asset.fractionable:
        raise forbidden(f'asset "{request.symbol}" is not fractionable')
    if request.tif is not TimeInForce.DAY:
        raise unprocessable("fractional orders must be DAY orders")
    if request.order_class is not OrderClass.SIMPLE:
        raise unprocessable("fractional orders must be simple orders")
