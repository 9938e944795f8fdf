"""What `crouter run` adds to the service so that a newcomer needs nothing: database, account, key, upstream.

For one person on one machine. Left out: everything that production decides in its own way.
"""
