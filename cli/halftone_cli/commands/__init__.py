"""The commands: one module each, a plain function of the session and its own arguments."""
