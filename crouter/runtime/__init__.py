"""What a running service does, steered by declarations only. Knows nothing of policy.yaml or the generator."""
