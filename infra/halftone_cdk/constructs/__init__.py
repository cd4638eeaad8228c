"""The parts of the stacks, each usable from another CDK app."""
