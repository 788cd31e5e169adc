"""What a session earned: fills in, round trips, sums and reports out. Pure: no I/O, no clock."""
