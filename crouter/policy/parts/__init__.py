"""The parts of policy.yaml, one module for parts that are read together."""
