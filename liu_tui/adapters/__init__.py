"""Vendors, one folder each. A vendor's words never leave its folder; vendors do not know each other."""
