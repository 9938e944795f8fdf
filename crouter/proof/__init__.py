"""What stands behind each sentence: mechanisms, tests, results. From a policy to its threads, without running any."""
