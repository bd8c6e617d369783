"""Both vendors' clients, and their shared parts."""
