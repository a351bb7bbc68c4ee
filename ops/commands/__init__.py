"""One module for each subject: what its commands read, decide and write."""
