"""The sample day: a coordinator, its workers and their players, and what goes wrong on purpose."""
