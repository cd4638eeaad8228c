"""Everybody who acts on an endpoint, a module for each kind; ``ACTORS`` are all of them."""
