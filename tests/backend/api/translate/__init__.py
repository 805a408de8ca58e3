"""The translate route: what it answers, what it refuses, and many at once."""
