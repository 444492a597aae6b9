"""Where LTspice is on this machine, which version it is, and how it is told to run a netlist.

There are five ways to have it: LTspice for Windows; LTspice for macOS up to 17, whose command line
knows little more than ``-b``; LTspice 26 for macOS, which is the one for Windows in a Wine bottle
of its own (its outer program does nothing in batch mode, so the Wine inside is called); LTspice
for Windows under Wine; and a program or script of another name that somebody made for it
(``ltspice`` on Linux), which is started as it is.
"""

from __future__ import annotations

import enum
import os
import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath, PureWindowsPath

from spicealif.errors import SimulatorError, SimulatorNotFound
from spicealif.simulators.process.path import find_on_path
from spicealif.simulators.process.version import bundle_version, file_version

__all__ = ["Host", "LtspiceProgram", "Solver", "find_ltspice"]

#: Set by a user: the program's path, its folder, or its name on the PATH.
VARIABLE = "SPICEALIF_LTSPICE"

#: Names of the program, the newest first.
_WINDOWS_NAMES = ("LTspice.exe", "XVIIx64.exe", "XVIIx86.exe", "scad3.exe")
_NAMES = ("LTspice", "ltspice")
#: Where the installers put it, below a drive; from Analog Devices' installers 24 and 26, XVII, IV.
_WINDOWS_PLACES = (
    r"Program Files\ADI\LTspice\LTspice.exe",
    r"Program Files\LTC\LTspiceXVII\XVIIx64.exe",
    r"Program Files (x86)\LTC\LTspiceXVII\XVIIx86.exe",
    r"Program Files (x86)\LTC\LTspiceIV\scad3.exe",
)
_USER_PLACE = r"AppData\Local\Programs\ADI\LTspice\LTspice.exe"
_MACOS_PROGRAM = "Contents/MacOS/LTspice"
#: The Wine inside LTspice 26 for macOS, its bottle and the program in it, as several public
#: projects call them; the outer program ends with code 0 and does nothing.
_BOTTLE_WINES = (
    "Contents/SharedSupport/ltspice/bin/wine",
    "Contents/SharedSupport/ltspice/LTspice/wine",
)
_BOTTLES = "Library/Application Support/LTspice/Bottles"
_BOTTLE_ARGUMENTS = ("--bottle=ltspice", "--wait-children")
_BOTTLE_PROGRAM = r"C:\Program Files\ADI\LTspice\LTspice.exe"
_WINE_PLACES_MACOS = (
    "/Applications/Wine Stable.app/Contents/Resources/wine/bin/wine",
    "/Applications/Wine Staging.app/Contents/Resources/wine/bin/wine",
    "/Applications/Wine Devel.app/Contents/Resources/wine/bin/wine",
)
_INSTALL = {
    "Windows": "install it from Analog Devices' LTspice page",
    "Darwin": "install it from Analog Devices' LTspice page",
    "Linux": "install LTspice for Windows under Wine (apt-get install wine xvfb)",
}


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:
        return Path(os.sep)  # a user without an account, as in some containers


def _root() -> Path:
    # Not the current drive: LTspice's installers take the system's.
    drive = os.environ.get("SYSTEMDRIVE", "C:") if os.name == "nt" else ""
    return Path(f"{drive}{os.sep}")


class Solver(enum.Enum):
    """LTspice's two solvers; which one runs is no option of the netlist.

    ``ALTERNATE`` is slower and rounds less; LTspice for macOS offers no choice.
    """

    DEFAULT = ""
    NORMAL = "-norm"
    ALTERNATE = "-alt"


@dataclass(frozen=True)
class Host:
    """The machine that is searched.

    Attributes
    ----------
    system : str
        As `platform.system` says it: ``Windows``, ``Darwin`` or ``Linux``.
    environ : mapping of str to str
    home : Path
        The user's home folder.
    root : Path
        What stands for ``/``, or on Windows for the drive.
    """

    system: str = field(default_factory=platform.system)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    home: Path = field(default_factory=_home)
    root: Path = field(default_factory=_root)

    def which(self, name: str) -> str | None:
        """Return the absolute path of a program on the PATH."""
        found = find_on_path(name, self.environ.get("PATH", ""))
        # LTspice is started in another folder, where a relative path is another one.
        return str(_absolute(Path(found))) if found else None

    def below(self, place: str) -> Path:
        """Return the path of a place that is written from the root."""
        windows = "\\" in place
        parts = PureWindowsPath(place).parts if windows else PurePosixPath(place).parts
        return self.root.joinpath(*(p for p in parts if p not in ("/", "\\")))

    @property
    def wine_prefix(self) -> Path:
        """The folder that Wine keeps its drives in; WINEFOLDER as spicelib has it."""
        prefix = self.environ.get("WINEPREFIX")
        return Path(prefix) if prefix else self.home / self.environ.get("WINEFOLDER", ".wine")


@dataclass(frozen=True)
class LtspiceProgram:
    """LTspice as it was found.

    Attributes
    ----------
    path : Path
        The program.
    found : str
        How it was found, for people.
    kind : {"windows", "macos", "bottle", "wine", "script"}
    launcher : tuple of str
        What stands before the program in a command: Wine, a virtual screen.
    environment : mapping of str to str
        What it needs to be set.
    """

    path: Path
    found: str
    kind: str
    launcher: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    def command(self, netlist: Path, solver: Solver = Solver.DEFAULT) -> list[str]:
        """Return the command that runs a netlist.

        Parameters
        ----------
        netlist : Path
            Absolute path of the netlist; raw file and log will land beside it, and the working
            directory must be its folder.
        solver : Solver

        Returns
        -------
        list of str

        Raises
        ------
        SimulatorError
            If this LTspice offers no choice of the solver.
        """
        choice = [solver.value] if solver.value else []
        if self.kind == "macos":
            if choice:
                raise SimulatorError(
                    "LTspice for macOS has no command-line choice of the solver; leave solver at "
                    "its default, or run LTspice for Windows under Wine."
                )
            return [str(self.path), "-b", str(netlist)]
        # A script is in the netlist's folder as we are, and may or may not be Wine's; so it gets
        # the bare name. Wine's drive Z: is the root of the file system.
        wine = f"Z:{netlist.as_posix()}"
        target = {"wine": wine, "bottle": wine, "script": netlist.name}.get(self.kind, str(netlist))
        program = _BOTTLE_PROGRAM if self.kind == "bottle" else str(self.path)
        return [*self._launcher(netlist.parent), program, *choice, "-Run", "-b", target]

    @property
    def has_own_screen(self) -> bool:
        """Whether it draws on a virtual screen that is made for each run."""
        return Path(self.launcher[0]).name == "xvfb-run" if self.launcher else False

    def _launcher(self, folder: Path) -> tuple[str, ...]:
        # xvfb-run leaves a folder of its own behind if it is stopped; its file goes into ours. Not
        # by TMPDIR: Debian's Wine would then start a server of its own for each run, on the same
        # registry. xvfb-run does not quote the path, so it cannot bear a blank.
        if not self.has_own_screen or any(letter.isspace() for letter in str(folder)):
            return self.launcher
        return (self.launcher[0], "-f", str(folder / "Xauthority"), *self.launcher[1:])

    @cached_property
    def stated(self) -> str:
        """The version that its file states, such as ``"24.1.9.0"``; empty if none."""
        bundle = self.kind in ("macos", "bottle")
        return bundle_version(self.path) if bundle else file_version(self.path)

    @property
    def version(self) -> str:
        """The version for people, such as ``"LTspice 24.1.9.0"``; see `file_version`."""
        return f"LTspice {self.stated or '(unknown version)'}"


def find_ltspice(
    program: str | os.PathLike[str] | None = None, host: Host | None = None
) -> LtspiceProgram:
    """Find LTspice.

    In this order: `program`; the environment variable ``SPICEALIF_LTSPICE``; spicelib's variables
    ``LTSPICEFOLDER`` and ``LTSPICEEXECUTABLE``; the places where its installers put it; the PATH.
    What is asked for by argument or variable is not replaced by something else that is there.

    Parameters
    ----------
    program : path-like, optional
        The program, its folder, or its name on the PATH.
    host : Host, optional
        The machine to search; this one if not given.

    Returns
    -------
    LtspiceProgram

    Raises
    ------
    SimulatorNotFound
        If it is not there, or needs Wine and Wine is not there.
    """
    host = host or Host()
    asked = _asked_for(program, host)
    if asked is not None:
        wanted, who = asked
        path = _resolve(wanted, host)
        if path is None:
            raise SimulatorNotFound(
                f"{who} names {ascii(wanted)}, and LTspice is not there; correct it, or leave it "
                "out to have the usual places searched."
            )
        return _program(path, f"named by {who}", host)
    for path in _usual_places(host):
        if _is_file(path):
            return _program(path, "in its usual place", host)
    for name in _WINDOWS_NAMES if host.system == "Windows" else (*_NAMES, *_WINDOWS_NAMES):
        if on_path := host.which(name):
            return _program(Path(on_path), "on the PATH", host)
    raise SimulatorNotFound(
        f"LTspice is not on this machine, neither in its usual places nor on the PATH; "
        f"{_INSTALL.get(host.system, 'it runs on Windows, macOS and under Wine')}, set "
        f"{VARIABLE} to the program's path, or write its netlist for another machine ('spicealif "
        "netlist --dialect ltspice')."
    )


def _asked_for(program: str | os.PathLike[str] | None, host: Host) -> tuple[str, str] | None:
    """Return what the user named and where, if anywhere."""
    if program is not None:
        return os.fsdecode(program), "the argument program"
    if named := host.environ.get(VARIABLE):
        return named, VARIABLE
    folder, name = (host.environ.get(v) for v in ("LTSPICEFOLDER", "LTSPICEEXECUTABLE"))
    if folder:
        return os.fspath(Path(folder, name) if name else Path(folder)), "LTSPICEFOLDER"
    return (name, "LTSPICEEXECUTABLE") if name else None


def _resolve(wanted: str, host: Host) -> Path | None:
    """Return the program that a path, a folder, a bundle or a name on the PATH stands for."""
    if not wanted:
        return None  # which would be the current folder
    path = _absolute(Path(wanted))
    candidates = [path, *(path / n for n in (*_WINDOWS_NAMES, *_NAMES, _MACOS_PROGRAM))]
    if path.name == wanted:
        if on_path := host.which(wanted):
            candidates.append(Path(on_path))
        # spicelib looks for LTSPICEEXECUTABLE where the installer put LTspice.
        candidates += [place.with_name(wanted) for place in _usual_places(host)]
    return next(filter(_is_file, candidates), None)


def _is_file(path: Path) -> bool:
    """Whether a file is there, as far as we may look: Path.is_file raises where we may not."""
    try:
        return path.is_file()
    except OSError:
        return False


def _absolute(path: Path) -> Path:
    try:
        return path.expanduser().absolute()
    except (OSError, RuntimeError):
        return path  # no such user, or the current folder is gone


def _usual_places(host: Host) -> Iterator[Path]:
    if host.system == "Windows":
        local = host.environ.get("LOCALAPPDATA")
        user = Path(local, *PureWindowsPath(_USER_PLACE).parts[2:]) if local else None
        yield user or host.home.joinpath(*PureWindowsPath(_USER_PLACE).parts)
        for place in _WINDOWS_PLACES:
            yield host.below(place)
        return
    if host.system == "Darwin":
        yield host.below("/Applications/LTspice.app") / _MACOS_PROGRAM
        yield host.home / "Applications" / "LTspice.app" / _MACOS_PROGRAM
    drive = host.wine_prefix / "drive_c"
    users = drive / "users"
    try:
        homes = sorted(users.iterdir())
    except OSError:
        homes = []
    for home in homes:
        yield home.joinpath(*PureWindowsPath(_USER_PLACE).parts)
    for place in _WINDOWS_PLACES:
        yield drive.joinpath(*PureWindowsPath(place).parts)


def _program(path: Path, found: str, host: Host) -> LtspiceProgram:
    if host.system == "Windows":
        return LtspiceProgram(path, found, "windows")
    if path.suffix.lower() == ".exe":
        launcher, environment = _wine(path, host)
        return LtspiceProgram(path, found, "wine", launcher, environment)
    if host.system != "Darwin":
        return LtspiceProgram(path, found, "script")
    bundle = next((p for p in path.parents if p.suffix == ".app"), None)
    wine = bundle and next((w for n in _BOTTLE_WINES if _is_file(w := bundle / n)), None)
    if not wine:
        return LtspiceProgram(path, found, "macos")
    bottles = host.home / _BOTTLES
    environment = {"CX_BOTTLE_PATH": str(bottles)} if bottles.is_dir() else {}
    launcher = (str(wine), *_BOTTLE_ARGUMENTS)
    return LtspiceProgram(path, found, "bottle", launcher, environment)


def _wine(path: Path, host: Host) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return how to start a Windows program, and the environment that it needs."""
    named = host.environ.get("WINEEXECUTABLE")
    places = [str(host.below(p)) for p in _WINE_PLACES_MACOS] if host.system == "Darwin" else []
    candidates = [named] if named else ["wine", "wine64", *places]
    wine = next((w for name in candidates if (w := host.which(name))), None)
    if wine is None:
        what = f"WINEEXECUTABLE names {ascii(named)}, which" if named else "Wine"
        raise SimulatorNotFound(
            f"LTspice for Windows is at {ascii(str(path))}, but {what} is not there; install Wine "
            "(apt-get install wine, or its macOS package), or set WINEEXECUTABLE to its path."
        )
    # A program that crashes ends: without this Wine's debugger shows it in a window and waits.
    overrides = filter(None, (host.environ.get("WINEDLLOVERRIDES"), "winedbg.exe=d"))
    environment = {"WINEDEBUG": "-all", "WINEDLLOVERRIDES": ";".join(overrides)}
    parts = path.absolute().parts
    if "drive_c" in parts and "WINEPREFIX" not in host.environ:
        # The program belongs to the prefix that it is installed in.
        environment["WINEPREFIX"] = str(Path(*parts[: parts.index("drive_c")]))
    screen: tuple[str, ...] = ()
    if host.system == "Linux" and not _has_screen(host) and (xvfb := host.which("xvfb-run")):
        screen = (xvfb, "-a")
    return (*screen, wine), environment


def _has_screen(host: Host) -> bool:
    # X11's: Wine 8 draws on nothing else, and with Wayland XWayland sets it too.
    return bool(host.environ.get("DISPLAY"))
