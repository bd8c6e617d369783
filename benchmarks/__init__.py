"""The benchmarks behind docs/figures.md. `make bench` runs them all; nothing here ships."""
