"""What another phase graph would have done with the completions of past dates. Pure: no clock, no store."""
