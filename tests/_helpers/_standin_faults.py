"""What goes wrong with a simulator, done on purpose: hanging, dying, half-written files."""

import os
import resource
import signal
import sys
import time
from pathlib import Path

# What the stand-in can be told to do; the program's docstring says what each is.
ACTIONS = "hang burn nothing log-only cut cut-done singular kill segv full stale slow linger \
ignore-term fork daemon wait"


class Faults:
    """The misbehaviour asked for."""

    def __init__(self, text, life):
        self.wanted = {}
        self.life = life
        for item in filter(None, (text or "").split(",")):
            name, _, number = item.strip().partition(":")
            if name not in ACTIONS.split():
                raise ValueError(f"unknown action {name!r}; known: {ACTIONS}")
            self.wanted[name] = float(number) if number else None

    def __contains__(self, name):
        return name in self.wanted

    def get(self, name, default):
        """Return an action's number."""
        number = self.wanted.get(name)
        return default if number is None else number

    def begin(self):
        """Do what comes before anything is written; return whether to go on."""
        if "ignore-term" in self:
            for name in ("SIGTERM", "SIGINT", "SIGHUP"):
                signal.signal(getattr(signal, name), signal.SIG_IGN)
        if "fork" in self or "daemon" in self:
            self._fork()
        if "wait" in self:
            time.sleep(self.get("wait", 0.2))
        if "hang" in self or "fork" in self:
            self.rest()
        if "burn" in self:
            end = time.monotonic() + self.life
            while time.monotonic() < end:
                pass
            os._exit(70)
        return "nothing" not in self

    def _fork(self):
        """Leave a child, and a grandchild in a session of its own, as Wine's daemons are.

        Both keep the environment and the open files; "daemon" leaves the grandchild alone.
        """
        if os.fork() == 0:
            if os.fork() == 0:
                os.setsid()
                os.chdir("/")
                self.rest()
            if "daemon" in self:
                os._exit(0)
            self.rest()

    def rest(self):
        """Wait without using the CPU, like a program behind a modal dialog; end some day."""
        end = time.monotonic() + self.life
        while time.monotonic() < end:
            time.sleep(min(1.0, max(end - time.monotonic(), 0.001)))
        os._exit(70)

    def unfinished(self):
        """Return whether the raw file's header says that points are still to come."""
        return any(name in self for name in ("cut", "kill", "segv", "full"))

    def write(self, path, content, start):
        """Write the raw file, or what there is of it; return whether the run goes on.

        `start` is the header's length: a number of bytes of None means half the body.
        """
        half = start + (len(content) - start) // 2
        for name in ("cut", "cut-done", "kill", "segv"):
            if name not in self:
                continue
            size = int(self.get(name, half))
            path.write_bytes(content[: max(size, 0)])
            if name in ("kill", "segv"):
                resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # no core file beside the netlist
                os.kill(os.getpid(), signal.SIGKILL if name == "kill" else signal.SIGSEGV)
            return name == "cut-done"
        if "full" in self:
            return self._fill(path, content)
        if "slow" in self:
            self._slowly(path, content, start)
        else:
            path.write_bytes(content)
        return True

    def _slowly(self, path, content, start):
        seconds, pieces = self.get("slow", 2.0), 40
        with path.open("wb", buffering=0) as file:
            file.write(content[:start])
            size = -(-(len(content) - start) // pieces)
            for k in range(pieces):
                time.sleep(seconds / pieces)
                file.write(content[start + k * size : start + (k + 1) * size])

    def _fill(self, path, content):
        """Write until there is no room: to a limit of our own, or on a small file system."""
        limit = self.wanted["full"]
        if limit is not None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), hard))
        try:
            with path.open("wb", buffering=0) as file:
                # 64 MB at most: the test's file system must be smaller, not the machine's
                for _ in range(max(1, (64 << 20) // len(content)) if limit is None else 1):
                    done = 0
                    while done < len(content):
                        done += file.write(content[done:])
        except OSError as error:
            print(f"stand-in: {error.strerror}", file=sys.stderr)
        return False

    def end(self, *files: Path):
        """Do what comes after everything is written."""
        if "stale" in self:
            old = time.time() - self.get("stale", 3600)
            for path in files:
                if path.exists():
                    os.utime(path, (old, old))
        if "linger" in self:
            self.rest()
