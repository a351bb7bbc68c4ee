"""What a day costs, and what the same fan-in would cost elsewhere: counts times a dated list of prices."""
