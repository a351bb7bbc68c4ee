"""What is in the warehouse, named by key."""
