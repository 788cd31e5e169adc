"""Alpaca, and the local market that speaks Alpaca's protocols: live data, history, trading.

    stream       AlpacaStream: the market data websocket           parse        its frames
    history      AlpacaData: bars, snapshots, clock over REST      rest         asking, again if need be
    trader       AlpacaTrader: orders, positions, account          parse_orders their JSON
    tradestream  the websocket of order updates
    backoff, times, loopback: how long to wait, how time is spelled, whether a host is this machine

Nothing is imported here: a process loads the module it needs and no more.
"""
