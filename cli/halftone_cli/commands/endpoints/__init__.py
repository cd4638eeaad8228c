"""Commands on endpoints, their deployments, clients and traffic, and on models."""
