"""A process that stops first accepts nothing, and leaves its socket to the others."""

import socket
import subprocess
import sys

CHILD = """
import socket, sys
from vineyard_group_fellowship.server.listeners import stop_accepting
listener = socket.socket(fileno=int(sys.argv[1]))
listener.settimeout(0)
connection, _ = listener.accept()
stop_accepting()
print("stopped", flush=True)
sys.stdin.readline()
try:
    listener.accept()
except BlockingIOError:
    connection.sendall(b"answered")
"""


def test_another_process_accepts_what_comes_and_accepted_connections_go_on() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
        first = socket.create_connection(address, timeout=10)
        command = [sys.executable, "-c", CHILD, str(listener.fileno())]
        with subprocess.Popen(  # noqa: S603 -- this interpreter
            command,
            pass_fds=[listener.fileno()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as child:
            assert child.stdin
            assert child.stdout
            assert child.stdout.readline() == "stopped\n"

            second = socket.create_connection(address, timeout=10)
            child.stdin.write("\n")
            child.stdin.flush()

            assert first.recv(100) == b"answered"
            listener.settimeout(10)
            accepted, _ = listener.accept()
            assert accepted.getpeername() == second.getsockname()
            for connection in (first, second, accepted):
                connection.close()
