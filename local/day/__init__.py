"""The sample day: a coordinator, its workers and their players, and how badly they behave."""
