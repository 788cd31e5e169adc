"""The local market: an exchange on loopback that speaks Alpaca's protocols and Polygon's, simulated or recorded."""
