"""The panes: what each shows, as columns of data. No drawing and no sums here."""
