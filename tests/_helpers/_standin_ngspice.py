"""ngspice in LTspice's place: a deck mapped, run in a private folder, its raw file read."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from _standin_deck import SHARED_OPTIONS, DeckError, nodes_of, value

OWN_CARDS = (
    ".meas",
    ".measure",
    ".step",
    ".save",
    ".backanno",
    ".end",
    ".text",
    ".option",
    ".options",
)
# Which vector of ngspice is a device's current in LTspice.
CURRENT = {"d": "id", "i": "current"}
BRANCH = "veh"  # these have a branch current: i(v1)


def ngspice_deck(deck, parameters=None) -> str:
    """Return the deck as ngspice wants it. Each mapping says why."""
    parameters = parameters or {}
    out = [deck.title]
    given = {name: f".param {name}={number!r}" for name, number in parameters.items()}
    for _, card in deck.cards:
        word = card.split()[0].lower()
        # our own: measured here, stepped here, saved by our list, or for the schematic only
        if word in OWN_CARDS:
            continue
        mapped = card
        if word in (".param", ".params"):
            for name in given:
                # a stepped parameter's own definition gives way
                mapped = re.sub(rf"(?i)\b{name}\s*=\s*(\{{[^}}]*\}}|\S+)", "", mapped)
            if len(mapped.split()) < 2:
                continue
        elif word == ".tran":
            mapped = _tran(card, deck)
        # LTspice: V(x1:n); ngspice: v(x1.n)
        out.append(re.sub(r"(?i)\b([vi]\w?\([^)]*\))", lambda m: m[0].replace(":", "."), mapped))
    out += given.values()
    # Options of LTspice alone (numdgt, plotwinsize, measdgt ...) mean other things in ngspice.
    shared = [f"{k}={v}" for k, v in deck.options.items() if k in SHARED_OPTIONS]
    if shared:
        out.append(f".options {' '.join(shared)}")
    out += [f".save {vector}" for vector in vectors(deck)]
    return "\n".join([*out, ".end", ""])


def _tran(card, deck):
    """Return all four fields: ngspice wants a positive first one, LTspice may have "0" or none."""
    fields = card.split()[1:]
    if any(field.startswith("{") for field in fields):
        # Expressions of parameters, which ngspice evaluates: all four fields, as in our netlists.
        step, stop, start, largest = fields
        return f".tran {largest if step == '0' else step} {stop} {start} {largest}"
    numbers = []
    while fields and re.match(r"[-+]?\.?\d", fields[0]):
        numbers.append(value(fields.pop(0)))
    if len(numbers) == 1:
        numbers = [0.0, numbers[0]]
    stop = numbers[1]
    start = numbers[2] if len(numbers) > 2 else 0.0
    # LTspice's largest step if none is given
    largest = numbers[3] if len(numbers) > 3 and numbers[3] > 0 else (stop - start) / 1024
    if "maxstep" in deck.options:
        largest = min(largest, value(deck.options["maxstep"]))
    step = numbers[0] if numbers[0] > 0 else largest
    keep = [f for f in fields if f.lower() == "uic"]
    return " ".join([".tran", repr(step), repr(stop), repr(start), repr(largest), *keep])


def vectors(deck) -> dict:
    """Return ngspice's vectors to save, each with LTspice's name for it.

    Without .save LTspice keeps every node voltage and device current of the top level. What a
    .save asks for and is not there is left out, in silence.
    """
    if not deck.saves:
        saves = [f"V({node})" for node in deck.nodes if node not in ("0", "gnd")]
        wanted = [n for n in deck.names.values() if n[0].lower() in "rclviebgfh"]
        saves += [f"I({name})" for name in sorted(wanted, key=lambda n: n[0].lower())]
    else:
        saves = deck.saves
    found = {}
    for save in saves:
        kind, _, rest = save.partition("(")
        inner = rest[:-1].strip().lower()
        if kind.lower() == "v":
            if _node_exists(deck, inner):
                found[f"v({inner.replace(':', '.')})"] = f"V({inner})"
            continue
        *path, name = inner.split(":")
        if not path and name not in deck.names:
            continue
        spelled = ":".join([*path, deck.names.get(name, name)])
        if name[0] in BRANCH and not path:
            found[f"i({name})"] = f"I({spelled})"
        else:
            part = kind.lower() if len(kind) > 1 else CURRENT.get(name[0], "i")
            device = ".".join([name[0], *path, name]) if path else name
            found[f"@{device}[{part}]"] = f"{kind[0].upper()}{kind[1:].lower()}({spelled})"
    # LTspice puts voltages first, whatever the order of .save
    return dict(sorted(found.items(), key=lambda item: item[1][0] != "V"))


def _node_exists(deck, name):
    *path, node = name.split(":")
    scope = _scopes(deck)
    here = ""
    for instance in path:
        kind = scope.get(here, {}).get("instances", {}).get(instance)
        if kind is None:
            return False
        here = kind
    return node in scope.get(here, {}).get("nodes", ())


def _scopes(deck):
    scopes = {"": {"nodes": set(), "instances": {}}}
    here = ""
    for _, card in deck.cards:
        fields = card.lower().split()
        if fields[0] == ".subckt":
            here = fields[1]
            ports = [f for f in fields[2:] if "=" not in f and f != "params:"]
            scopes[here] = {"nodes": set(ports), "instances": {}}
        elif fields[0] == ".ends":
            here = ""
        elif fields[0][0] != ".":
            scopes[here]["nodes"].update(nodes_of(fields))
            if fields[0][0] == "x":
                plain = [f for f in fields[1:] if "=" not in f and f != "params:"]
                scopes[here]["instances"][fields[0]] = plain[-1]
    return scopes


def run(deck, parameters=None, *, program="ngspice", mode=None):
    """Run a deck; return its columns by ngspice's names, and what went wrong, if anything."""
    with tempfile.TemporaryDirectory(prefix="standin-") as name:
        folder = Path(name)
        (folder / "deck.cir").write_text(ngspice_deck(deck, parameters), encoding="latin-1")
        # No compatibility mode by default: it makes exp linear above 14, which LTspice does not.
        extra = ["-D", f"ngbehavior={mode}"] if mode else []
        env = {k: v for k, v in os.environ.items() if k != "SPICE_ASCIIRAWFILE"}
        env.setdefault("HOME", name)  # ngspice dies without one
        done = subprocess.run(
            [program, "-n", "-b", *extra, "-r", "out.raw", "deck.cir"],
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        log = done.stdout.decode("latin-1")
        raw = folder / "out.raw"
        columns = read_raw(raw.read_bytes()) if raw.exists() else {}
    trouble = failure(log, deck) if done.returncode or not columns else None
    if trouble and trouble.kind == "syntax":
        # what LTspice would say of it is not known: the test wants to see the reason
        print(log, file=sys.stderr)
    return columns, trouble


def read_raw(content: bytes) -> dict:
    """Read ngspice's binary raw file: the last plot, all float64."""
    start = content.rfind(b"Title:")
    head, _, body = content[max(start, 0) :].partition(b"Binary:\n")
    text = head.decode("latin-1")
    count = re.search(r"No\. Variables:\s*(\d+)", text)
    if not count:
        return {}
    n = int(count[1])
    names = re.findall(r"^\t\d+\t(\S+)\t", text, re.MULTILINE)[:n]
    rows = len(body) // (8 * n)
    table = np.frombuffer(body[: rows * 8 * n], "<f8").reshape(rows, n)
    return {name: table[:, k].copy() for k, name in enumerate(names)}


def named(columns, deck) -> dict:
    """Return columns by LTspice's names, in its order: the axis, voltages, currents."""
    known = vectors(deck)
    out = {"time": columns["time"]} if "time" in columns else {}
    plain = {re.sub(r"^i\((@.*)\)$", r"\1", name): v for name, v in columns.items()}
    for vector, name in known.items():
        if vector in plain:
            out[name] = plain.pop(vector)
    for vector, values in plain.items():
        if vector != "time":
            out.setdefault(_guess_name(vector, deck), values)
    first = list(out)[:1] if "time" in out else []
    rest = sorted((n for n in out if n not in first), key=lambda n: n[0] != "V")
    return {name: out[name] for name in [*first, *rest]}


def _guess_name(vector, deck):
    """Return LTspice's name of a vector that the deck does not ask for (a prepared raw file)."""
    device = re.match(r"@(?:\w\.)?([\w.]+)\[(\w+)\]$|i\(([\w.]+)\)$|([\w.]+)#branch$", vector)
    if device:
        name = device[1] or device[3] or device[4]
        kind = device[2] if device[2] in ("id", "ig", "is", "ic", "ib", "ie") else "i"
        if name[0] == "d":
            kind = "i"
        return f"{kind.capitalize()}({deck.names.get(name, name).replace('.', ':')})"
    node = re.match(r"v\((.*)\)$", vector)
    return f"V({(node[1] if node else vector).replace('.', ':')})"


def failure(log, deck) -> DeckError:
    """Return what ngspice's output complains of, as a kind of LTspice's."""
    small = re.search(
        r'[Tt]imestep too small; time = (\S+), timestep = (\S+?):? trouble with ([^"\n]*?)'
        r'"?([^"\s]+)"?\s*$',
        log,
        re.MULTILINE,
    )
    if small:
        detail = f"time = {small[1]}, timestep = {small[2].rstrip(':')}"
        return DeckError("time step", word=small[4].replace(".", ":"), detail=detail)
    sub = re.search(r"unknown subckt: *(.*)", log, re.IGNORECASE)
    if sub:
        return _located("subcircuit", sub[1].split()[-1], deck)
    model = re.search(
        r"(?:unable to find definition of model|could not find a valid modelname|"
        r"unknown model(?: type)?)[ :]*([\w.]*)",
        log,
        re.IGNORECASE,
    )
    if model:
        word = model[1]
        if not word:
            line = re.search(r"Error on line.*\n\s*(.*)", log)
            word = line[1].split()[-1] if line and line[1].split() else ""
        return _located("model", word, deck)
    parameter = re.search(r"[Uu]ndefined parameter \[(\w+)\]", log)
    if parameter:
        return _located("parameter", parameter[1], deck)
    if "singular matrix" in log.lower() and "aborted" in log:
        node = re.search(r"singular matrix:\s+check nodes? (\S+)", log)
        return DeckError("singular", word=node[1] if node else "")
    if re.search(r"timestep too small", log, re.IGNORECASE):
        return DeckError("time step", detail="time = 0, timestep = 1.25e-19")
    line = re.search(r".*(?:[Ee]rror|aborted).*", log)
    return DeckError("syntax", detail=line[0].strip() if line else "")


def _located(kind, word, deck):
    for number, card in deck.cards:
        if word and word.lower() in card.lower().split():
            return DeckError(kind, number, card, word)
    return DeckError(kind, word=word)
