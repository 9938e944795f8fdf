"""Versions of the policy in a running deployment: which were published, who was told, and who has used which.

What a version says is in `generated/policy/history`; what changed between two is decided by the generator.
"""
