"""The front of the service: every connection starts here.

A plain, well-formed request to a metered route is served here, in callbacks. Everything else is handed, with its
bytes, to aiohttp's own handler on the same transport (docs/decisions/0012). What happens to an admitted request,
`admission` and `relay`, is the same code for both.
"""
