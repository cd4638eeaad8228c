"""Events of AWS services, read as requests to use cases."""
