"""Polygon, since October 2025 Massive: live data and history. No orders. Its spelling ends in this folder."""
