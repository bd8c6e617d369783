"""What every folder of tests may ask for."""

from postgres import empty_postgres_url, postgres, postgres_url, pytest_addoption

__all__ = ["empty_postgres_url", "postgres", "postgres_url", "pytest_addoption"]
