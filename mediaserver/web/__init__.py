"""Pages for people and figures for their tools: presentation page, health, metrics."""
