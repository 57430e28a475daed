"""What we say to mail servers and what they say to us: bytes in, frozen dataclasses out.

The room's one law: nothing untrusted reaches a wire unguarded (design, law 6). Nothing here knows a
user, a row or a request, so nothing here imports Django, Celery or Redis.
"""
