"""Composes the sentences of the policy: one function for each kind, one module for kinds that are read together."""
