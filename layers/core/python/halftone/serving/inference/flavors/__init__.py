"""One loader for each flavor; each imports the libraries of its models."""
