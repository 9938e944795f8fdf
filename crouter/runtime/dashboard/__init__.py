"""What customers see of their own usage and balance. Pages are drawn elsewhere."""
