"""HTTP API events (payload format 2.0) in, responses out."""
