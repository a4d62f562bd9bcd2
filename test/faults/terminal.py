"""Runs a command on a terminal of its own, and closes the terminal when told to.

    terminal.py leader|plain COMMAND...

With "leader" the terminal is the command's controlling one, so that closing it hangs the command up. Prints "running PID"; a line on
standard input closes the terminal, then "closed" is printed, and in the end "ended CODE".
"""

import fcntl
import os
import pty
import subprocess
import sys
import termios
import threading

leader = sys.argv[1] == "leader"
master, slave = pty.openpty()


def take_terminal():
    if leader:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)


process = subprocess.Popen(
    sys.argv[2:], stdin=slave, stdout=slave, stderr=slave, start_new_session=True, preexec_fn=take_terminal
)
os.close(slave)
print("running", process.pid, flush=True)
closing = threading.Event()


def drain():
    os.set_blocking(master, False)
    while not closing.wait(0.01):
        try:
            os.read(master, 65536)
        except BlockingIOError:
            pass
        except OSError:
            return


def close():
    sys.stdin.readline()
    closing.set()
    drainer.join()
    os.close(master)
    print("closed", flush=True)


drainer = threading.Thread(target=drain)
drainer.start()
threading.Thread(target=close, daemon=True).start()
print("ended", process.wait(), flush=True)
closing.set()
