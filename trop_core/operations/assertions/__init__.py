"""Questions with the answer yes or no, for scripts."""
