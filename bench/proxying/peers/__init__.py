"""What is compared: each module starts one kind of peer in front of the upstream, and gives its process and port."""
