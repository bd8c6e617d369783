"""What every folder of tests may ask for, and what a run says at its end."""

from figures import pytest_terminal_summary, tell
from postgres import empty_postgres_url, postgres, postgres_url, pytest_addoption

__all__ = [
    "empty_postgres_url",
    "postgres",
    "postgres_url",
    "pytest_addoption",
    "pytest_terminal_summary",
    "tell",
]
