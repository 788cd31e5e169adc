"""The live house's rules on recorded time: one process, no clock, no socket."""
