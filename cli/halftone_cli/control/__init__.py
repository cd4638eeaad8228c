"""The client of the control API, and its errors."""
