"""Hourly: looks for whatever is stuck, inconsistent or absent, and tells."""
