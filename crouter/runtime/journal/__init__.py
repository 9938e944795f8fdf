"""A journal on this machine: what a request used is in it before the end of the answer leaves.

Segments of files of one process, shipped to the database in batches and removed then; what a dead process left is
adopted by a living one. Records name accounts, counts and prices, never content. Who ships is
`crouter.runtime.settling`.
"""
