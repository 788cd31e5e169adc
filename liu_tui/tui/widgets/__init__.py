"""Widgets of our own on Textual's line API: they draw lines, and repaint only those that changed."""
