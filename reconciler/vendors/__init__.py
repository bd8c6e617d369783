"""Both vendors' clients, and what they share."""
