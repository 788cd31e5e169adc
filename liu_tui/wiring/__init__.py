"""Names become objects: from a plan to a venue, from a venue to its feed, history and broker."""
