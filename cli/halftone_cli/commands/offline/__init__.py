"""Commands of this machine: make, check and serve a package, read a plan, run the local AWS."""
