"""What decides: values in, values out. No clock, no input or output, no randomness, no logging."""
