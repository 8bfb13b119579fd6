"""What the screens show, computed from what was read. Pure."""
