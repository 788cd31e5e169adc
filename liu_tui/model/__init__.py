"""The nouns: frozen, no I/O, no pandas."""
