"""What runs: emulators, tables, topics, and the functions served from their stages; `stack.py` joins them."""
