"""The server: FastAPI, and nothing about mathematics."""
