"""Why something stands where it stands: facts in, a verdict with its evidence and the next command out."""
