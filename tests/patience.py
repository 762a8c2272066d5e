"""How long tests wait for what will come."""

PATIENCE = 60
"""Seconds that anything may take on a busy machine; nothing waits that long when all is well."""
