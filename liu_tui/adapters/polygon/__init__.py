"""Polygon, since October 2025 Massive, and the local market that speaks its protocols: live data, history.

    stream   PolygonStream: reconnects, subscribes   ▸ connection (one socket) ▸ parse, channels
    history  PolygonData: bars, ticks, snapshots     ▸ rest (asking, again if need be) ▸ parse_history,
             and through reference: what happened      parse_snapshots, parse_reference ▸ answers
    codes, spelling                                  its numbers and ours; symbols, ids, sizes, times

Orders go to a broker, which Polygon is not. Nothing is imported here: a process loads the module it needs.
"""
