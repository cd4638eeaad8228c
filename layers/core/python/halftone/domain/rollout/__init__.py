"""Rollouts: plans, phases, evidence, analysis, decisions."""
