"""The caption route: what it answers, what it refuses, pictures that arrive in odd ways."""
