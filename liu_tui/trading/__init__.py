"""The rules: no I/O and no clock. Live, replay and backtest turn this same crank."""
