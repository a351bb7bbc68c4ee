"""What became of a day: evidence from the stores and the logs, and a verdict on each promise."""
