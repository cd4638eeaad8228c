"""Endpoints: their declaration, their state, their deployments, and what is derived from them."""
