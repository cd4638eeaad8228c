"""The console on this machine: its files, and the server that signs what its page asks."""
