"""The local market: an exchange on loopback that speaks Alpaca's protocols, simulated or recorded."""
