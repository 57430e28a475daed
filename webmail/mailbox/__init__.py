"""The mailbox page: a list of messages, from the index."""
