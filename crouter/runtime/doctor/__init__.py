"""Looks at a deployment as its operator would: what is set, what is reached, what it answers. Changes nothing.

Each feature contributes a module with `CHECKS`; `registry.py` lists them. A check says what it found and what to do
about it, and never shows a value of a setting.
"""
