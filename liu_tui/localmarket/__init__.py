"""The local market: an exchange on loopback with Alpaca's protocols and Polygon's, simulated or recorded."""
