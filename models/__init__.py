"""The networks: PyTorch, and nothing about HTTP."""
