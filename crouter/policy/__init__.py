"""The policy language: what policy.yaml may say, how it is read, and what is wrong with it."""
