"""How an exchange fills orders and keeps an account: the paper broker's rules, without sockets, files, clock.

`exchange.Exchange` is the crank; the rest are its parts, one rule a module. Not here: impact on the price,
dividends, borrow cost, forced liquidation, which names exist or are listed as shortable (`listing` is told).
docs/exchange.md says every rule. Source: Alpaca's paper trading rules, as of 2026.
"""
