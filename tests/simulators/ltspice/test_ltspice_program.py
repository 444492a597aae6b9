"""Where LTspice is looked for, what it is started by, and which version it says it is.

No machine of any kind is needed: `Host` describes one, and its folders are made here.
"""

import os
import plistlib
import shlex
import stat
import struct
from pathlib import Path

import pytest
from _ltspice_runs import PAPER, assert_told, place, prepared, whole
from ltspice_standin import install

from spicealif.errors import SimulatorError, SimulatorNotFound
from spicealif.simulators import Status
from spicealif.simulators.ltspice._program import Host, LtspiceProgram, Solver, find_ltspice
from spicealif.simulators.ltspice.runner import Ltspice
from spicealif.simulators.process.version import file_version

__all__ = ["place", "prepared", "whole"]

USER = "AppData/Local/Programs/ADI/LTspice/LTspice.exe"
NEW = "Program Files/ADI/LTspice/LTspice.exe"
XVII = "Program Files/LTC/LTspiceXVII/XVIIx64.exe"
XVII_32 = "Program Files (x86)/LTC/LTspiceXVII/XVIIx86.exe"
IV = "Program Files (x86)/LTC/LTspiceIV/scad3.exe"
APP = "Applications/LTspice.app/Contents/MacOS/LTspice"
NETLIST = Path("/tmp/a folder/neuron.net")
WINE = {"WINEDEBUG": "-all", "WINEDLLOVERRIDES": "winedbg.exe=d"}
# As the real one: without -f a folder of its own, which stays if it is killed.
XVFB_RUN = (
    'if [ "$1" = -f ]; then touch "$2"; shift 2; else mktemp -d -t xvfb-run.XXXXXX; fi',
    "shift",
)


def put(path, content=b"", mode=0o755):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.fixture
def machine(tmp_path):
    """Return a function that makes a machine: what is on the PATH, and the environment."""

    def make(system="Linux", on_path=(), **environ):
        for name in on_path:
            put(tmp_path / "bin" / name)
        environ.setdefault("PATH", str(tmp_path / "bin"))
        (tmp_path / "home").mkdir(exist_ok=True)
        return Host(system, environ, tmp_path / "home", tmp_path / "root")

    return make


# --- the usual places -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place_of", "other"), [(USER, NEW), (NEW, XVII), (XVII, XVII_32), (XVII_32, IV), (IV, None)]
)
def test_usual_places_of_windows(machine, place_of, other):
    host = machine("Windows")
    at = {p: (host.home if p == USER else host.root) / p for p in (USER, NEW, XVII, XVII_32, IV)}
    if other:
        put(at[other])  # the newer goes before the older
    path = put(at[place_of])
    program = find_ltspice(host=host)
    assert (program.path, program.kind, program.launcher) == (path, "windows", ())
    assert program.found == "in its usual place"
    assert program.command(NETLIST) == [str(path), "-Run", "-b", str(NETLIST)]
    assert program.command(NETLIST, Solver.ALTERNATE)[1:4] == ["-alt", "-Run", "-b"]
    assert program.command(NETLIST, Solver.NORMAL)[1:4] == ["-norm", "-Run", "-b"]


def test_local_app_data_of_windows(machine, tmp_path):
    path = put(tmp_path / "elsewhere" / "Programs/ADI/LTspice/LTspice.exe")
    assert (
        find_ltspice(host=machine("Windows", LOCALAPPDATA=str(tmp_path / "elsewhere"))).path == path
    )


@pytest.mark.parametrize("in_home", [False, True])
def test_macos_17(machine, in_home):
    host = machine("Darwin")
    path = put((host.home if in_home else host.root) / APP)
    program = find_ltspice(host=host)
    assert (program.path, program.kind) == (path, "macos")
    assert program.command(NETLIST) == [str(path), "-b", str(NETLIST)]
    for solver in (Solver.NORMAL, Solver.ALTERNATE):
        with pytest.raises(SimulatorError, match="no command-line choice of the solver; leave"):
            program.command(NETLIST, solver)
    # by its bundle too
    assert find_ltspice(path.parents[2], host).path == path


@pytest.mark.parametrize("inner", ["bin/wine", "LTspice/wine"])
@pytest.mark.parametrize("bottles", [False, True])
def test_macos_26(machine, inner, bottles):
    host = machine("Darwin")
    path = put(host.root / APP)
    wine = put(path.parents[1] / "SharedSupport/ltspice" / inner)
    folder = host.home / "Library/Application Support/LTspice/Bottles"
    if bottles:
        folder.mkdir(parents=True)
    program = find_ltspice(host=host)
    assert (program.path, program.kind) == (path, "bottle")
    assert program.environment == ({"CX_BOTTLE_PATH": str(folder)} if bottles else {})
    assert program.command(NETLIST, Solver.ALTERNATE) == [
        str(wine),
        "--bottle=ltspice",
        "--wait-children",
        r"C:\Program Files\ADI\LTspice\LTspice.exe",
        "-alt",
        "-Run",
        "-b",
        "Z:/tmp/a folder/neuron.net",
    ]


@pytest.mark.parametrize("place_of", [f"users/me/{USER}", NEW, XVII, IV])
def test_wine(machine, tmp_path, place_of):
    host = machine(on_path=["wine", "xvfb-run"], DISPLAY=":0")
    path = put(host.home / ".wine/drive_c" / place_of)
    program = find_ltspice(host=host)
    wine = str(tmp_path / "bin/wine")
    assert (program.path, program.kind, program.launcher) == (path, "wine", (wine,))
    assert program.environment == {**WINE, "WINEPREFIX": str(host.home / ".wine")}
    assert program.command(NETLIST, Solver.NORMAL) == [
        *(wine, str(path), "-norm", "-Run", "-b", "Z:/tmp/a folder/neuron.net")
    ]
    assert not program.has_own_screen


@pytest.mark.parametrize(
    ("environ", "screen"),
    [
        ({}, True),
        ({"DISPLAY": ""}, True),
        ({"DISPLAY": ":1"}, False),
        ({"WAYLAND_DISPLAY": "w"}, True),
    ],
)
def test_a_virtual_screen_where_there_is_none(machine, tmp_path, environ, screen):
    host = machine(on_path=["wine", "xvfb-run"], **environ)
    put(host.home / ".wine/drive_c" / NEW)
    program = find_ltspice(host=host)
    own = [str(tmp_path / "bin/xvfb-run"), "-a"] if screen else []
    assert list(program.launcher) == [*own, str(tmp_path / "bin/wine")]
    assert program.has_own_screen == screen


def test_wine_without_xvfb_and_by_its_older_name(machine, tmp_path):
    host = machine(on_path=["wine64"])
    put(host.home / ".wine/drive_c" / NEW)
    assert find_ltspice(host=host).launcher == (str(tmp_path / "bin/wine64"),)


@pytest.mark.parametrize("variable", ["WINEPREFIX", "WINEFOLDER", "relative WINEFOLDER"])
def test_another_prefix(machine, tmp_path, variable):
    name = variable.split()[-1]
    relative = variable != name
    prefix = tmp_path / ("home/prefix" if relative else "prefix")
    host = machine(on_path=["wine"], **{name: "prefix" if relative else str(prefix)})
    path = put(prefix / "drive_c" / NEW)
    put(host.home / ".wine/drive_c" / XVII)
    program = find_ltspice(host=host)
    assert program.path == path
    # a prefix that is set in the environment needs no second word
    expected = {} if name == "WINEPREFIX" else {"WINEPREFIX": str(prefix)}
    assert program.environment == {**WINE, **expected}


def test_wine_on_macos(machine):
    host = machine("Darwin")
    path = put(host.home / ".wine/drive_c" / NEW)
    with pytest.raises(SimulatorNotFound, match="but Wine is not there; install Wine"):
        find_ltspice(host=host)
    wine = put(host.root / "Applications/Wine Stable.app/Contents/Resources/wine/bin/wine")
    program = find_ltspice(host=host)
    assert (program.path, program.kind, program.launcher) == (path, "wine", (str(wine),))
    # LTspice's own for macOS goes before
    put(host.root / APP)
    assert find_ltspice(host=host).kind == "macos"


def test_wine_that_is_named(machine, tmp_path):
    path = put(tmp_path / "home/.wine/drive_c" / NEW)
    other = put(tmp_path / "other wine")
    host = machine(on_path=["wine"], WINEEXECUTABLE=str(other))
    assert find_ltspice(host=host).launcher == (str(other),)
    host = machine(on_path=["wine"], WINEEXECUTABLE="nosuch")
    with pytest.raises(SimulatorNotFound) as caught:
        find_ltspice(host=host)
    assert str(caught.value) == (
        f"LTspice for Windows is at {ascii(str(path))}, but WINEEXECUTABLE names 'nosuch', which "
        "is not there; install Wine (apt-get install wine, or its macOS package), or set "
        "WINEEXECUTABLE to its path."
    )


@pytest.mark.parametrize("name", ["LTspice", "ltspice", "LTspice.exe", "XVIIx64.exe"])
def test_on_the_path(machine, tmp_path, name):
    program = find_ltspice(host=machine(on_path=[name, "wine"]))
    assert program.path == tmp_path / "bin" / name
    assert program.found == "on the PATH"
    assert program.kind == ("wine" if name.endswith(".exe") else "script")
    if program.kind == "script":
        # in the netlist's folder, as a name: a script may be Wine's or not
        assert program.command(NETLIST, Solver.ALTERNATE) == [
            *(str(program.path), "-alt", "-Run", "-b", "neuron.net")
        ]


@pytest.mark.parametrize(
    ("system", "remedy"),
    [
        ("Linux", "install LTspice for Windows under Wine (apt-get install wine xvfb)"),
        ("Darwin", "install it from Analog Devices' LTspice page"),
        ("Windows", "install it from Analog Devices' LTspice page"),
        ("SunOS", "it runs on Windows, macOS and under Wine"),
    ],
)
def test_nowhere(machine, system, remedy):
    with pytest.raises(SimulatorNotFound) as caught:
        find_ltspice(host=machine(system))
    assert str(caught.value) == (
        "LTspice is not on this machine, neither in its usual places nor on the PATH; "
        f"{remedy}, set SPICEALIF_LTSPICE to the program's path, or write its netlist for another "
        "machine ('spicealif netlist --dialect ltspice')."
    )


def test_a_path_that_is_not_the_machines_is_not_searched(tmp_path, monkeypatch):
    put(tmp_path / "LTspice")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SimulatorNotFound):
        find_ltspice(host=Host("Linux", {}, tmp_path / "home", tmp_path / "root"))


# --- what is asked for ----------------------------------------------------------------------------

# How something is named: the argument, or a variable.
WAYS = ("argument", "SPICEALIF_LTSPICE", "LTSPICEFOLDER", "LTSPICEEXECUTABLE")


def ask(machine, way, wanted, **more):
    """Return what is found when `wanted` is named in some way."""
    if way == "argument":
        return find_ltspice(wanted, machine(**more))
    return find_ltspice(host=machine(**more, **{way: str(wanted)}))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("form", ["file", "folder", "bundle", "name"])
def test_what_is_named_is_taken(machine, tmp_path, way, form):
    put(tmp_path / "home/.wine/drive_c" / NEW)  # a usual one, and one on the PATH
    put(tmp_path / "bin/LTspice")
    path = put(
        {
            "file": tmp_path / "some where/any name",
            "folder": tmp_path / "some where/LTspice",
            "bundle": tmp_path / APP,
            "name": tmp_path / "bin/my-ltspice",
        }[form]
    )
    wanted = {"folder": path.parent, "bundle": path.parents[2], "name": path.name}.get(form, path)
    program = ask(machine, way, wanted, on_path=["wine"])
    assert program.path == path
    assert program.found == f"named by {'the argument program' if way == 'argument' else way}"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "wanted",
    ["nosuch", "/no/such/path", "~nosuchuser/LTspice", "empty", "a\nb\x1b[31m", "x" * 5000],
)
def test_what_is_named_is_not_replaced(machine, tmp_path, monkeypatch, way, wanted):
    """Another LTspice is there, but not the one that was asked for."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    put(tmp_path / "home/.wine/drive_c" / NEW)
    with pytest.raises(SimulatorNotFound) as caught:
        ask(machine, way, wanted, on_path=["wine", "LTspice"])
    who = "the argument program" if way == "argument" else way
    assert str(caught.value) == (
        f"{who} names {ascii(wanted)}, and LTspice is not there; correct it, or leave it out to "
        "have the usual places searched."
    )


def test_an_empty_argument_is_not_the_current_folder(machine, tmp_path, monkeypatch):
    put(tmp_path / "here/LTspice")
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(SimulatorNotFound, match="names ''"):
        find_ltspice("", machine())
    # an empty variable is none
    put(tmp_path / "bin/LTspice")
    assert find_ltspice(host=machine(SPICEALIF_LTSPICE="")).path == tmp_path / "bin/LTspice"


def test_relative_paths_become_absolute(machine, tmp_path, monkeypatch):
    """The program is started in another folder."""
    monkeypatch.chdir(tmp_path)
    path = put(tmp_path / "sub/LTspice")
    for wanted in ("sub", "sub/LTspice", "./sub/", Path("sub/LTspice"), b"sub/LTspice"):
        assert find_ltspice(wanted, machine()).path == path
    assert find_ltspice(host=machine(PATH="sub")).path == path
    assert find_ltspice("LTspice", machine(PATH="sub")).path == path


def test_a_folder_of_the_same_name_does_not_hide_the_program(machine, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ltspice").mkdir()
    assert find_ltspice("ltspice", machine(on_path=["ltspice"])).path == tmp_path / "bin/ltspice"


def test_home_is_written_as_a_tilde(machine, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    path = put(tmp_path / "my/LTspice")
    assert find_ltspice("~/my", machine()).path == path


def test_argument_before_variables_and_ours_before_spicelibs(machine, tmp_path):
    paths = {name: put(tmp_path / name / "LTspice") for name in ("one", "two", "three")}
    environ = {
        "SPICEALIF_LTSPICE": str(paths["two"]),
        "LTSPICEFOLDER": str(paths["three"].parent),
        "LTSPICEEXECUTABLE": "LTspice",
    }
    assert find_ltspice(paths["one"], machine(**environ)).path == paths["one"]
    assert find_ltspice(host=machine(**environ)).path == paths["two"]
    del environ["SPICEALIF_LTSPICE"]
    assert find_ltspice(host=machine(**environ)).path == paths["three"]
    environ["LTSPICEEXECUTABLE"] = "nosuch.exe"
    with pytest.raises(SimulatorNotFound, match=r"LTSPICEFOLDER names .*nosuch\.exe"):
        find_ltspice(host=machine(**environ))


def test_spicelibs_executable_alone_is_in_the_usual_places(machine):
    host = machine(on_path=["wine"], LTSPICEEXECUTABLE="XVIIx86.exe")
    path = put(host.home / ".wine/drive_c" / Path(XVII).with_name("XVIIx86.exe"))
    assert find_ltspice(host=host).path == path


def test_folders_that_we_may_not_look_into(machine, monkeypatch):
    """As another user's prefix, or one of root's: what cannot be seen is not there."""
    host = machine(on_path=["LTspice"])
    hidden = str(host.home / ".wine")
    real_stat, real_scan = Path.stat, os.listdir

    def refuse(path, *args, **options):
        if str(path).startswith(hidden):
            raise PermissionError(13, "Permission denied", str(path))
        return real_stat(path, *args, **options)

    def refuse_list(path="."):
        if str(path).startswith(hidden):
            raise PermissionError(13, "Permission denied", str(path))
        return real_scan(path)

    monkeypatch.setattr(Path, "stat", refuse)
    monkeypatch.setattr(os, "listdir", refuse_list)
    assert find_ltspice(host=host).found == "on the PATH"
    with pytest.raises(SimulatorNotFound, match="LTspice is not there"):
        find_ltspice(f"{hidden}/drive_c/LTspice.exe", host)


def test_a_user_without_a_home(monkeypatch):
    monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    assert Host().home.is_absolute()


# --- versions -------------------------------------------------------------------------------------


def pe(*numbers, before=b"", signature=0xFEEF04BD, structure=0x00010000):
    """Return what matters of a Windows program: its mark, and a version resource."""
    major, minor, build, revision = numbers
    fixed = struct.pack(
        "<13I", signature, structure, major << 16 | minor, build << 16 | revision, *[0] * 9
    )
    return b"MZ\x90\0" + before + "VS_VERSION_INFO".encode("utf-16-le") + b"\0\0\0\0" + fixed


@pytest.mark.parametrize(
    ("content", "version"),
    [
        (pe(24, 1, 9, 0), "24.1.9.0"),
        (pe(17, 0, 37, 0, before=bytes(100_001)), "17.0.37.0"),
        (pe(65535, 0, 65535, 1), "65535.0.65535.1"),
        (pe(24, 1, 9, 0)[2:], ""),  # no program
        (pe(24, 1, 9, 0, signature=0xFEEF04BC), ""),
        (pe(24, 1, 9, 0, structure=2), ""),
        (b"MZ", ""),
        (b"", ""),
        (b"#!/bin/sh\n", ""),
    ],
)
def test_version_of_a_windows_program(tmp_path, content, version):
    path = put(tmp_path / "LTspice.exe", content)
    assert file_version(path) == version
    host = Host("Windows", {}, tmp_path, tmp_path)
    expected = f"LTspice {version or '(unknown version)'}"
    assert find_ltspice(path, host).version == expected


def test_a_windows_program_cut_off_anywhere(tmp_path):
    content = pe(24, 1, 9, 0)
    for n in range(len(content)):
        version = file_version(put(tmp_path / "LTspice.exe", content[:n]))
        assert version in ("", "24.1.9.0")
        assert version == "" or n >= len(content) - 36


def test_programs_that_are_not_read(tmp_path):
    assert file_version(tmp_path / "nosuch") == ""
    assert file_version(tmp_path) == ""
    huge = put(tmp_path / "huge.exe", pe(1, 2, 3, 4))
    os.truncate(huge, 1 << 40)  # a file of holes
    assert file_version(huge) == ""


def bundle(machine, info):
    host = machine("Darwin")
    path = put(host.root / APP)
    if info is not None:
        put(path.parents[1] / "Info.plist", info)
    return find_ltspice(host=host).version


@pytest.mark.parametrize("fmt", [plistlib.FMT_XML, plistlib.FMT_BINARY])
def test_version_of_a_bundle(machine, fmt):
    info = plistlib.dumps({"CFBundleShortVersionString": "17.2.4", "other": [1, 2]}, fmt=fmt)
    assert bundle(machine, info) == "LTspice 17.2.4"


XML = '<?xml version="1.0"?><!DOCTYPE plist{}><plist version="1.0">{}</plist>'
LAUGHS = " [" + "".join(
    f'<!ENTITY e{k + 1} "{f"&e{k};" * 10}">' for k in range(9)
) + '<!ENTITY e0 "x">]'  # fmt: skip


@pytest.mark.parametrize(
    "info",
    [
        None,
        b"",
        b"nonsense",
        b"bplist00",
        b"bplist00" + bytes(32),
        b"bplist00" + b"\xff" * 64,
        XML.format("", "").encode(),
        XML.format("", "<array/>").encode(),
        XML.format("", "<dict><key>CFBundleShortVersionString</key></dict>").encode(),
        XML.format("", "<dict><string>1</string></dict>").encode(),
        XML.format("", "<string>1</string><string>2</string></dict>").encode(),
        XML.format("", "<dict><key>a</key><integer>x</integer></dict>").encode(),
        XML.format("", "<dict><key>a</key><date>x</date></dict>").encode(),
        XML.format("", "<dict>" + "<key>a</key><dict>" * 5000).encode(),
        XML.format(LAUGHS, "<string>&e9;</string>").encode(),
        b'<?xml version="1.0" encoding="nosuch"?><plist/>',
        plistlib.dumps({"CFBundleShortVersionString": "\n\x0917 \u202e"}),
        plistlib.dumps({"CFBundleShortVersionString": ["17"]}),
        plistlib.dumps({"CFBundleShortVersionString": {}}),
    ],
)
def test_a_bundle_that_does_not_say_its_version(machine, info):
    assert bundle(machine, info) == "LTspice (unknown version)"


def test_a_bundle_whose_version_is_long(machine):
    version = bundle(machine, plistlib.dumps({"CFBundleShortVersionString": "1" * 10**6}))
    assert len(version) < 60


# --- whole runs -----------------------------------------------------------------------------------


def script(*lines):
    return "\n".join(["#!/bin/sh", *lines, ""]).encode()


def fake_wine(folder, prepared, **more):
    """Return a home with LTspice under Wine, and a folder of programs for the PATH."""
    home = folder / "home"
    exe = put(home / ".wine/drive_c" / NEW, pe(24, 1, 9, 0))
    install(folder / "bin", "wine", wine=1, raw=prepared, **more)
    return home, exe


@pytest.fixture
def plain(place, plain_folder, monkeypatch):
    """Make the temporary folder one without a blank, which xvfb-run cannot bear; return it."""
    with monkeypatch.context() as patch:
        patch.setattr("tempfile.tempdir", str(plain_folder))
        yield plain_folder
    assert list(plain_folder.iterdir()) == []


@pytest.mark.parametrize("screen", [False, True])
def test_a_run_under_wine(place, plain, prepared, tmp_path, monkeypatch, screen):
    """The stand-in for Wine knows no path but Z:, and wants the program as its first argument."""
    home, exe = fake_wine(tmp_path, prepared, flavour="xvii")
    told = tmp_path / "told"
    tell = f'echo "$*" >{shlex.quote(str(told))}'
    put(tmp_path / "bin/xvfb-run", script(tell, *XVFB_RUN, '"$@"'))
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    environ = {"PATH": path} | ({} if screen else {"DISPLAY": ":0"})
    simulator = Ltspice(host=Host("Linux", environ, home, tmp_path / "root"), solver="alternate")
    run = simulator.run(PAPER)
    place.assert_clean()
    assert_told(run, Status.OK)
    # of two places that say it, the file says more than XVII's raw file
    assert run.version == simulator.version == "LTspice 24.1.9.0"
    assert "solver = Alternate" in run.log
    assert told.exists() == screen
    launcher = (
        f"{tmp_path}/bin/xvfb-run -a {tmp_path}/bin/wine" if screen else f"{tmp_path}/bin/wine"
    )
    assert simulator.where == f"{exe}, in its usual place, started by {launcher}"
    if screen:
        option, file, *words = told.read_text().split()
        assert (option, Path(file).name, Path(file).parents[1]) == ("-f", "Xauthority", plain)
        assert " ".join(words).startswith(f"-a {tmp_path}/bin/wine {exe} -alt -Run -b Z:{plain}/")


def test_a_virtual_screen_that_is_killed_leaves_nothing(place, plain, prepared, tmp_path):
    home, _ = fake_wine(tmp_path, prepared, do="hang")
    # The screen's lock goes when it is asked to end, not when it is killed.
    lock = plain / "lock"
    loop = (f"touch '{lock}'", f"trap 'rm \"{lock}\"; exit' TERM", "while :; do sleep 0.05; done")
    put(tmp_path / "bin/Xvfb", script(*loop))
    put(tmp_path / "bin/xvfb-run", script(*XVFB_RUN, "Xvfb &", '"$@"'))
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", path)
        simulator = Ltspice(host=Host("Linux", {"PATH": path}, home, tmp_path / "root"))
        run = simulator.run(PAPER, timeout=1.0)
    assert_told(run, Status.TIMEOUT)
    place.assert_clean()


@pytest.mark.parametrize("name", ["plain", "with a blank"])
def test_where_the_virtual_screen_keeps_its_files(plain_folder, name):
    """Its script does not quote the path."""
    folder = plain_folder / name
    program = LtspiceProgram(Path("/x.exe"), "", "wine", ("/usr/bin/xvfb-run", "-a", "wine"))
    own = ["-f", str(folder / "Xauthority")] if name == "plain" else []
    assert program.command(folder / "neuron.net")[:-3] == [
        *("/usr/bin/xvfb-run", *own, "-a", "wine", "/x.exe")
    ]
    program = LtspiceProgram(Path("/x.exe"), "", "wine", ("wine",))
    assert program.command(folder / "neuron.net")[:2] == ["wine", "/x.exe"]


def test_settings_of_wine_are_added_to(machine):
    host = machine(on_path=["wine"], WINEDLLOVERRIDES="mshtml=d")
    put(host.home / ".wine/drive_c" / NEW)
    overrides = find_ltspice(host=host).environment["WINEDLLOVERRIDES"]
    assert overrides == "mshtml=d;winedbg.exe=d"


def test_a_run_with_spaces_in_the_programs_path(place, prepared, tmp_path):
    program = install(tmp_path / "Program Files/LTC é", raw=prepared)
    assert_told(Ltspice(program.parent).run(PAPER), Status.OK)
    assert program.stat().st_mode & stat.S_IXUSR
