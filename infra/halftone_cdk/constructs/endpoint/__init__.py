"""What an endpoint is made of: function, aliases, routes, guardrail, release and schedule."""
