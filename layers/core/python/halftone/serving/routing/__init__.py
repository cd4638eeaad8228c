"""Routing: which version gets a request, from the endpoint's route configuration."""
