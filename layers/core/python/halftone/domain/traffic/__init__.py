"""Traffic: an endpoint's policy of who gets which requests, and how a request is assigned."""
