"""Notices: subscriptions, and the way from a record to those who asked to be told of it."""
