"""A hundred viewers at once: what they cost the daemon, and what they get."""
