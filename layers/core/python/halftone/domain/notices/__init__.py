"""Notices: what people are told of the audit's records, and who has asked for it."""
