"""The benchmarks behind the figures in README. `make bench` runs them all; nothing here ships."""
