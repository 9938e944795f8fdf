"""One module for each family of outputs: from the plan to views, from views to text."""
