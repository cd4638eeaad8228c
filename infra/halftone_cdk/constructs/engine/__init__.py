"""What moves rollouts: functions, workflow, rules, storage and the inference table."""
