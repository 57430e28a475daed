"""The demo: what `make run` adds so that a newcomer has mail to read, and what the tests use as real servers.

Nothing here runs in production. The servers of this room know nothing of Django: they are the outside world.
"""
