"""One run of the stand-in: from the deck that was read to the files beside it."""

import time
from pathlib import Path

import numpy as np
from _standin_deck import DeckError, value
from _standin_log import (
    INSPECTED,
    OLD,
    complaint,
    direct,
    log_bytes,
    log_lines,
    measure_lines,
)
from _standin_ngspice import named, read_raw, run
from _standin_raw import FLAVOURS, raw_bytes
from _standin_topology import floating


class Run:
    """What a run knows; `go` does it."""

    def __init__(self, command, chosen, faults, started):
        self.command, self.chosen, self.faults, self.started = command, chosen, faults, started
        self.flavour = chosen["FLAVOUR"]
        self.kind = FLAVOURS[self.flavour]
        path = command.netlist
        self.raw, self.log = path.with_suffix(".raw"), path.with_suffix(".log")
        self.op = path.with_suffix(".op.raw")
        self.title = path.read_bytes().split(b"\n")[0].strip().decode("utf-8", "replace")
        self.words = {}

    def write_log(self, **words):
        """Write the log with what is known so far."""
        self.words.update(words)
        circuit = self.title if self.flavour in OLD else self.command.spelled
        elapsed = time.time() - self.started
        lines = log_lines(self.flavour, circuit, elapsed=elapsed, **self.words)
        self.log.write_bytes(log_bytes(lines, self.chosen["LOG"] or self.kind.log))

    def refuse(self, error):
        """Write the log of a deck that LTspice refuses; return the exit code."""
        trouble, _ = complaint(error, self.flavour, self.command.spelled)
        self.write_log(trouble=trouble, finished=False, failed_early=True)
        return self.failed

    @property
    def failed(self):
        # Real: 255 from XVII (a program's -1), 1 from 26. On macOS a guess: no difference.
        return {"iv": 255, "xvii": 255, "mac17": 0}.get(self.flavour, 1)

    def go(self, deck):
        """Run a deck and write its files; return the exit code."""
        self._configure(deck)
        if "log-only" in self.faults:
            self.write_log(finished=True)
            self.faults.end(self.log)
            return 0
        over = _over_defined(deck)
        if over:
            return self._over_defined(over, deck)
        columns, lengths, trouble = self._columns(deck)
        if trouble and not columns:
            words, finished = complaint(trouble, self.flavour, self.command.spelled)
            early = not finished
            self.write_log(trouble=words, finished=finished, failed_early=early)
            return self.failed
        stored, options = self._options(deck, columns, lengths)
        title, plot = self.title, "Transient Analysis"
        if deck.analysis.lower().startswith(".op"):
            stored = {name: v for name, v in columns.items() if name != "time"}
            plot = "Operating Point"
        content, start = raw_bytes(title, plot, stored, **options)
        if not deck.analysis.lower().startswith(".op"):
            self._write_op(columns, options)
        self.write_log(finished=False)
        if not self.faults.write(self.raw, content, start):
            self.faults.end(self.raw, self.log, self.op)
            return 1
        measured = [card for _, card in deck.measures]
        digits = int(value(deck.options.get("measdgt", str(self.kind.digits))))
        words = {}
        if trouble or "singular" in self.faults:
            error = trouble or DeckError("singular", word=next(iter(deck.nodes), "x"))
            words["trouble"], _ = complaint(error, self.flavour, self.command.spelled)
        elif measured:
            words["measures"] = measure_lines(measured, columns, lengths, digits)
        points = len(next(iter(columns.values())))
        self.write_log(finished=True, points=points, **words)
        self.faults.end(self.raw, self.log, self.op)
        return self.failed if trouble else 0

    def _configure(self, deck):
        options = deck.options
        shown = [k if v == "1" and k in ("list",) else f"{k}={v}" for k, v in options.items()]
        warnings = []
        for node, source in floating(deck):
            words = f"Node {node} is floating"
            if source:
                spelled = deck.names.get(source, source)
                warnings.append(f"ERROR: {words} and connected to current source {spelled}")
            else:
                warnings.append(f"WARNING: {words}.")
        if self.flavour in OLD:
            # a subcircuit's port has more than one connection inside
            warnings += [
                f"WARNING: Less than two connections to node {node.upper()}.  This node is used by "
                f"{on[0].upper()}."
                for node, on in deck.nodes.items()
                if len(on) == 1 and on[0][0] not in "xX" and node not in ("0", "gnd")
            ]
        nonlinear = any(name[0] in "bdmqjx" for name in deck.names)
        steps = [
            " ".join(f"{name}={number:g}" for name, number in combination.items())
            for combination in deck.combinations()
        ]
        self.words = {
            "found": direct(self.flavour) if nonlinear else INSPECTED,
            "temp": options.get("temp", "27"),
            "tnom": options.get("tnom", "27"),
            "method": options.get("method", "trap"),
            "options": " ".join(shown),
            "warnings": warnings,
            "steps": steps,
            "alternate": self.command.alternate or options.get("solver", "")[:3] == "alt",
        }

    def _columns(self, deck):
        """Return the columns of all steps, the points of each, and what went wrong."""
        parts, trouble = [], None
        combinations = deck.combinations()
        for parameters in combinations or [None]:
            if self.chosen["RAW"]:
                vectors = read_raw(Path(self.chosen["RAW"]).read_bytes())
            else:
                vectors, trouble = run(
                    deck, parameters, program=self.chosen["NGSPICE"], mode=self.chosen["MODE"]
                )
                if trouble and (trouble.kind != "time step" or not vectors):
                    return {}, None, trouble
            parts.append(named(vectors, deck))
            if trouble:
                break
        names = list(parts[0])
        columns = {name: np.concatenate([part[name] for part in parts]) for name in names}
        lengths = [len(part[names[0]]) for part in parts] if combinations else None
        return columns, lengths, trouble

    def _options(self, deck, columns, lengths):
        options = deck.options
        double = value(options.get("numdgt", "6")) > 6
        compressed = value(options.get("plotwinsize", "300")) > 0
        alternate = self.words["alternate"] and self.flavour == "xvii"
        suffix = " -- Alternate Solver" if alternate else ""
        made = {
            "flavour": self.flavour,
            "double": double,
            "compressed": compressed,
            "ascii": self.command.ascii,
            "steps": lengths,
            "fastaccess": "fastaccess" in options,
            "points": 0 if self.faults.unfinished() else None,
            "command": self.kind.command + suffix,
        }
        if self.chosen["BACKANNO"]:
            made["backannotation"] = [self.chosen["BACKANNO"]]
        if self.chosen["FOURTH"]:
            made["fourth"] = self.chosen["FOURTH"]
        return columns, made

    def _write_op(self, columns, options):
        """Write the operating point: the first sample, since .ic holds there."""
        first = {n: v[:1] for n, v in columns.items() if n != "time"}
        options = {**options, "steps": None, "points": None, "fastaccess": False}
        content, _ = raw_bytes(self.title, "Operating Point", first, **options)
        self.op.write_bytes(content)

    def _over_defined(self, pair, deck):
        """Real (26): a raw file of a header alone, and a log that looks finished."""
        error = DeckError("over-defined", detail=" ".join(pair))
        names = [f"V({node})" for node in deck.nodes if node not in ("0", "gnd")]
        columns = {"time": np.empty(0), **{n: np.empty(0) for n in names}}
        content, _ = raw_bytes(self.title, "Transient Analysis", columns, flavour=self.flavour)
        end = "Binary:\n".encode(self.kind.header)
        self.raw.write_bytes(content[: -len(end)])
        words, _ = complaint(error, self.flavour, self.command.spelled)
        self.write_log(trouble=words, over_defined=error)
        return self.failed


def _over_defined(deck):
    """Return two voltage sources between the same nodes, if there are."""
    seen = {}
    for _, card in deck.cards:
        fields = card.split()
        if card.lower().startswith(".subckt"):
            return None
        if fields[0][0].lower() == "v":
            pair = frozenset(f.lower() for f in fields[1:3])
            if pair in seen:
                return fields[0], seen[pair]
            seen[pair] = fields[0]
    return None
