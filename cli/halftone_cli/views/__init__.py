"""What the command shows: as JSON for programs, as tables for people."""
