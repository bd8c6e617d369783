"""One file a vendor: JSON in, values of the core out, and back. Knows no policy."""
