"""How gunicorn serves the pages: `gunicorn -c python:webmail.gunicorn webmail.wsgi`.

Threads, because a page may wait for an IMAP server; few processes, because each keeps its own pool of IMAP connections.

HOST, PORT: where to listen (127.0.0.1:8000). WEB_CONCURRENCY: processes (2). WEB_THREADS: threads in each (8); each
thread may hold one database connection.
"""

import os
from typing import Any

from webmail import memory

bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = int(os.environ.get("WEB_THREADS", "8"))
# Longer than an IMAP command may take (60 s), so that a slow mail server never looks like a hung worker.
timeout = 90
graceful_timeout = 30
# Longer than the proxy keeps its own connections idle (2 min): it never writes into one that is just being closed.
keepalive = 150
# Workers go one by one now and then, so that a leak in any library stays small.
max_requests = 20_000
max_requests_jitter = 2_000
# The heartbeat file must not wait for a disk.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108  gunicorn makes an unnamed file there
# Its default place is in HOME, which a container's user doesn't have.
control_socket_disable = True


def post_request(_worker: Any, _request: Any, _environ: Any, _response: Any) -> None:
    """After each answer."""
    memory.give_back()
