"""The last resort where no Redis binary can be had: fakeredis over TCP. Real enough, and slow."""

import sys

from fakeredis import TcpFakeServer


def main() -> None:
    """Serve on the port that is the only argument, until ended."""
    server = TcpFakeServer(("127.0.0.1", int(sys.argv[1])), server_type="redis")
    server.serve_forever()


if __name__ == "__main__":
    main()
