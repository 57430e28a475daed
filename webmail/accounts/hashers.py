"""How local passwords are hashed."""

from __future__ import annotations

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2idHasher(Argon2PasswordHasher):
    """Argon2id with OWASP's figures: 19 MiB, two passes, one lane (security §5.2).

    Django's own take 100 MiB and eight lanes, which a sign-in with mail pays too: so that names can't be told apart by
    the time an answer takes, a hash is computed for every name. Old hashes are renewed at the next sign-in.
    """

    memory_cost = 19 * 1024  # KiB
    time_cost = 2
    parallelism = 1
