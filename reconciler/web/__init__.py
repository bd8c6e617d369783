"""The HTTP side, only with HTTP_LISTEN: health, metrics and the fast path. Nothing heavy is imported from here."""
