"""`python -m bench.quiet_imap [CERTIFICATE KEY]`: an IMAP server for thousands of connections that say nothing, in one
process; with implicit TLS if it is given something to show.

Knows just what it takes to log in, select INBOX and idle. Writes its port to standard output; lives until its standard
input ends.
"""

from __future__ import annotations

import asyncio
import ssl
import sys

CAPABILITIES = b"IMAP4rev1 SASL-IR AUTH=PLAIN ENABLE CONDSTORE QRESYNC ID LIST-STATUS IDLE"
SELECTED = b"* 3 EXISTS\r\n* OK [UIDVALIDITY 1] ok\r\n* OK [UIDNEXT 4] ok\r\n* OK [HIGHESTMODSEQ 9] ok\r\n"


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection."""
    writer.write(b"* OK [CAPABILITY %b] quiet\r\n" % CAPABILITIES)
    idle = b""
    while line := await reader.readline():
        tag, _, command = line.strip().partition(b" ")
        verb = command.split(b" ", 1)[0].upper()
        if tag == b"DONE":
            writer.write(idle + b" OK done\r\n")
        elif verb == b"IDLE":
            idle = tag
            writer.write(b"+ idling\r\n")
        elif verb == b"AUTHENTICATE":
            writer.write(tag + b" OK [CAPABILITY %b] in\r\n" % CAPABILITIES)
        elif verb in (b"SELECT", b"EXAMINE"):
            writer.write(SELECTED + tag + b" OK [READ-ONLY] selected\r\n")
        elif verb == b"LOGOUT":
            writer.write(b"* BYE\r\n" + tag + b" OK bye\r\n")
            break
        else:
            writer.write(tag + b" OK done\r\n")
    writer.close()


async def main() -> None:
    """Serve until nobody wants it any more."""
    context = None
    if sys.argv[1:]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*sys.argv[1:3])
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1000, limit=1 << 16, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
