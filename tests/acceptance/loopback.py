"""What the acceptance scripts share: ports on this machine, waiting with an end, and an end for all that was begun.
Python standard library only."""
import errno
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path


def leave_by_exception():
    """From here on SIGINT and SIGTERM raise SystemExit, so that what was begun is ended; only the first of them does, so
    that nothing cuts the ending short."""
    def leave(number, _frame):
        for later in (signal.SIGINT, signal.SIGTERM):
            signal.signal(later, signal.SIG_IGN)
        sys.exit(128 + number)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, leave)


def begin(ends, command, **more):
    """A process that `ends`, an ExitStack, kills where it has not ended before."""
    process = subprocess.Popen(command, **more)
    ends.callback(end, process)
    return process


def end(process):
    process.kill()
    process.wait(10)


@contextmanager
def folder(prefix, keep=False):
    """A temporary folder, gone afterwards unless it is kept. After an error the ends of its logs are printed."""
    directory = Path(tempfile.mkdtemp(prefix=prefix))
    try:
        yield directory
    except Exception:
        for log in sorted(directory.glob("*.log")):
            print(f"--- {log}\n{log.read_text(errors='replace')[-2000:]}", file=sys.stderr, flush=True)
        raise
    finally:
        if keep:
            print(f"logs in {directory}", file=sys.stderr)
        else:
            shutil.rmtree(directory, ignore_errors=True)


def free_port():
    """A port on which nobody listens now, below those the kernel gives to outgoing connections: whoever is stopped and
    begun again on it finds it free. From among those, a connection of anybody's could have taken it meanwhile, even one
    that is tried to this very port and so meets itself."""
    try:
        first_given = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except OSError:
        first_given = 32768
    while True:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", random.randrange(min(10_000, first_given - 1000), first_given)))
                return probe.getsockname()[1]
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise


def can_connect(port):
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_for(condition, seconds, what):
    """The first value of `condition` that is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.02)
    raise TimeoutError(f"waited {seconds:.0f} s for {what}")
