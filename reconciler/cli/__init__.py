"""Commands: parse, wire, render."""
