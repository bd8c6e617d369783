"""What runs: wiring, daemon, leadership, and what it says of itself."""
