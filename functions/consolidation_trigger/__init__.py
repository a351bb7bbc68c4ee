"""Consolidates each complete batch once and announces the end of phase 5."""
