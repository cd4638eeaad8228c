"""The HTTP API of a stage and the routes that belong to no endpoint."""
