"""Routes of the stage as a whole: groups, subscriptions, and what waits for a person."""
