"""What the figures in DESIGN's section 7 come from. `make bench` runs it all; nothing here ships."""
