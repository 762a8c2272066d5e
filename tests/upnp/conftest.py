"""A small device to test with: a switch that can be turned."""
