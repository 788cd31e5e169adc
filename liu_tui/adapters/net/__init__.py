"""What every vendor's adapter needs of a network, and no vendor's words: dialling, waiting, ending."""
