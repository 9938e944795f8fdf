"""The account API: what a signed-in person, or their program, may ask and change about their own account, as JSON.

Each operation is declared once (`operation`); the routes, the reading of requests and the OpenAPI document follow from
its declaration. No HTTP server here: that is `crouter.runtime.server.site.account_api`.
"""
