"""Mail to customers: declared templates, an outbox in the database, delivery to the operator's own mail server.

No mail can be sent that policy.yaml does not declare, with the purpose and the values that it declares. An address is
read at the moment of sending and kept nowhere; text is put together then, too.
"""
