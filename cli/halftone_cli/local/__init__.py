"""Work on this machine alone: packages, scaffolds, plans, a server on a local port."""
