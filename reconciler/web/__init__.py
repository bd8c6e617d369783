"""HTTP: health, metrics and the fast path with HTTP_LISTEN, the status page with STATUS_LISTEN.

This module imports nothing heavy.
"""
