"""First policies: written from a few answers, or drafted from a policy that exists already."""
