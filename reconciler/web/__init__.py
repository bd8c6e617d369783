"""HTTP endpoints, only with HTTP_LISTEN: health, metrics and the fast path. This module imports nothing heavy."""
