"""How an exchange fills orders and keeps an account: the paper broker's rules, without sockets, files, clock.

`exchange.Exchange` is the crank; the rest are its parts, one rule a module. Not here: slippage, queue
position, impact, fees, dividends, borrow cost, trailing stops, the 90-day end of GTC orders, which names
exist or may be shorted.
Source: Alpaca's paper trading rules, as of 2026.
"""
