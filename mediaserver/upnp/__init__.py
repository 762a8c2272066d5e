"""The UPnP Device Architecture: discovery, description, control, eventing. Knows no media."""
