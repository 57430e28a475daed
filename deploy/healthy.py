"""Ask this container's own web server whether it is well: exit status 0 if it answers 200, else 1 and why.

The health check of docker-compose.yml. HOST and PORT are gunicorn's (webmail/gunicorn.py), UVICORN_PORT is uvicorn's.
The standard library only, so that a check costs little.
"""

import http.client
import os
import sys

PATH = "/healthz"
SECONDS = 5.0


def main() -> int:
    """Make one request as the proxy would, naming a host that the settings allow."""
    port = int(os.environ.get("UVICORN_PORT") or os.environ.get("PORT", "8000"))
    host = os.environ.get("ALLOWED_HOSTS", "localhost").split(",")[0]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        connection.request("GET", PATH, headers={"Host": host, "X-Forwarded-Proto": "https"})
        status = connection.getresponse().status
    except OSError as error:
        print(f"no answer on port {port}: {error}", file=sys.stderr)
        return 1
    finally:
        connection.close()
    if status != http.client.OK:
        print(f"{PATH} answered {status}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
