"""The tradeplan: what a plan may say (schema), reading one (load), what changed between two (diff)."""
