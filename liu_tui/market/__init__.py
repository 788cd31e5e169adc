"""Market data: the two ports, series, bars, the calendar, recorded and simulated sources."""
