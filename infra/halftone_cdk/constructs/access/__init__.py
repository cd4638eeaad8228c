"""Who may do what: statements for functions, policies for people."""
