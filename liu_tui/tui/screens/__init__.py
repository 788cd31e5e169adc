"""The dialogs that may lie over the console."""
