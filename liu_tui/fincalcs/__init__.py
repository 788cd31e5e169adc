"""Calculations on prices: arrays in, arrays out. No value ever depends on a later bar."""
