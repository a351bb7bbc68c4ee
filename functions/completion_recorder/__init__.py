"""Counts each player's completion once and triggers the consolidation of a batch that is complete."""
