"""The tables that the library works on, by what they are for. `crouter.policy.needs` puts them together."""
