"""Recipes that make the checkpoints: `python -m models.training NAME`."""
