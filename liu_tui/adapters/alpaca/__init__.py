"""Alpaca, and the local market that speaks Alpaca's protocols: live data, history, trading.

    stream   AlpacaStream: reconnects, subscribes   ▸ bargain (what can be had) ▸ connection (one socket)
                                                    ▸ parse, wire, channels
    history  AlpacaData: bars, prints, clock ...    ▸ questions (many symbols, pages) ▸ rest, allowance
                                                    ▸ parse_history, parse_venue, parse_actions
    trader   AlpacaTrader: orders, account          ▸ calls (alpaca-py) ▸ outcomes, order_form, parse_orders
                                                    ▸ tradestream (the websocket of order updates)
    times, and adapters.net                         time; dialling, waiting, ending, this machine

Nothing is imported here: a process loads the module it needs and no more.
"""
