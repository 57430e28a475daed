"""The only room that sees IMAP and the database together. Plain synchronous functions, each one sentence about mail.

The room's one law: the server's facts first, then the pending jobs on top (law 4); never a network call inside a
transaction.
"""
