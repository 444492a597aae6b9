"""Logs as LTspice writes them, and its words for what is wrong.

Marked "real": read off a log or a report of one. The others are guesses in the same style.
"""

import itertools
import re
from pathlib import Path

import numpy as np
from _standin_deck import value
from _standin_raw import FLAVOURS, date

OLD = ("iv", "xvii", "mac17")
INSPECTED = ".OP point found by inspection."  # real: no equations to solve


def direct(flavour):
    """Return the words for an operating point found at once (both real)."""
    if flavour in OLD:
        return "Direct Newton iteration for .op point succeeded."
    return "Direct Newton iteration succeeded in finding operating point."


def complaint(error, flavour, path):
    """Return a deck error in LTspice's words, and whether the log is finished after it."""
    words = _old(error) if flavour in OLD else _new(error, path)
    return words, error.kind in ("singular", "time step", "over-defined")


def _old(error):
    card = " ".join(error.card.lower().split())
    on_line = f"Error on line {error.line} : {card}"
    return {
        "subcircuit": [f"Fatal Error: Unknown subcircuit called in: {card}"],  # real
        "model": [f'{on_line} Unable to find definition of model "{error.word.lower()}"'],  # real
        "singular": [f"Singular matrix:  Check node {error.word}"],  # real
        "time step": [
            f"Fatal Error: Analysis: Time step too small; {error.detail}: "
            f'trouble with node "{error.word}"'  # real
        ],
        "over-defined": [
            "Fatal Error: Over-defined circuit matrix.",
            *_paralleled(error),
        ],
        "value": [f"{on_line} Missing value."],
        "parameter": [f"{on_line} Undefined parameter: {error.word}"],
        "analyses": ["Fatal Error: Multiple analyses found."],
        "no analysis": ["Fatal Error: No analysis command found."],
        "duplicate": [f"{on_line} Multiple instances of {error.word}"],
        "device": [f"{on_line} Unknown device type."],
        "directive": [f'{on_line} Unknown control card: "{error.word}"'],
        "option": [f"{on_line} Unrecognized option: {error.word}"],
    }.get(error.kind, [f"{on_line} {error.detail or 'Syntax error'}"])


def _new(error, path):
    def at(message):
        mark = max(error.card.lower().find(error.word.lower()), 0)
        caret = " " * mark + "^" * max(len(error.word), 1)
        return [f"{path}({error.line}): {message}", error.card, caret]

    return {
        "subcircuit": at(f'Unknown subcircuit called "{error.word}".'),
        "model": at(f'Undefined model "{error.word.lower()}".'),  # real
        "singular": ["", "Simulation Failed: Matrix is singular", ""],  # real
        "time step": [
            f"Convergence Failure: Time step too small; {error.detail}: "
            f'trouble with node "{error.word}"',  # real
            "Simulation Failed: Iteration limit reached",  # real
        ],
        "over-defined": [],  # real: it comes after the elapsed time
        "value": at("Missing value."),
        "parameter": at("No such parameter defined."),  # real words, place unknown
        "analyses": ["More than one analysis specified."],  # real
        "no analysis": ["No analysis specified."],
        "duplicate": at(f'Multiple definition of "{error.word}".'),
        "device": at("Unknown device type."),
        "directive": at("Unknown simulation directive."),
        "option": at(f'Unknown option "{error.word}".'),
        "character": at("Unexpected input."),
        "step": at(error.detail),  # real
    }.get(error.kind, at(error.detail or "syntax error"))


def _paralleled(error):
    one, _, other = error.detail.partition(" ")
    return [
        f"Voltage source {one} and voltage source {other} are paralleled making an over-defined "
        "circuit matrix.",  # real
        "You will need to correct the circuit or add some series resistance.",  # real
    ]


def log_lines(
    flavour,
    circuit,
    *,
    found=INSPECTED,
    steps=(),
    measures=(),
    warnings=(),
    trouble=(),
    finished=True,
    elapsed=0.05,
    points=0,
    temp="27",
    tnom="27",
    method="trap",
    options="",
    alternate=False,
    over_defined=None,
    stamp=None,
    version=None,
    failed_early=False,
):
    """Return the lines of a log, each with its own line end.

    Parameters
    ----------
    circuit : str
        Title (IV, XVII, 17) or path (24, 26) of the netlist.
    steps : sequence of str
        Such as ``"r=1000"``.
    measures : sequence of str
        Finished lines.
    trouble : sequence of str
        What stopped the run, in LTspice's words.
    finished : bool
        Whether the run got to its end: "Total elapsed time" is there.
    failed_early : bool
        The deck was refused: nothing of a run in the log.
    """
    kind = FLAVOURS[flavour]
    end = kind.log_newline
    method = "Gear" if method.lower().startswith("gear") else "trap"
    solver = f"solver = {'Alternate' if alternate else 'Normal'}"
    when = stamp or date(flavour)
    stepped = [f".step {step}" for step in steps]
    if flavour in ("iv", "xvii"):
        method = "modified trap" if method == "trap" else method
        body = [f"Circuit: {circuit}", ""]
        body += [*warnings] + ([] if failed_early else [found]) + stepped + [*trouble]
        if finished:
            tables = [""] if steps and measures else []
            body += ["", *tables, *measures, "", ""] if measures else [""]
            body += [f"Date: {when}", f"Total elapsed time: {elapsed:.3f} seconds.", ""]
            body += [f"tnom = {tnom}", f"temp = {temp}", f"method = {method}"]
            body += [f"totiter = {2 * points}", f"traniter = {2 * points}"]
            body += [f"tranpoints = {points}", f"accept = {points}", "rejected = 0"]
            body += ["matrix size = 3", "fillins = 0", solver]
            body += ["Matrix Compiler1:       2 opcodes  0.0/[0.0]/0.0"]
            body += ["Matrix Compiler2: off  [0.0]/0.0/0.0", ""]
        return [f"{line}{end}" for line in body]
    body = [version or kind.version, f"Circuit: {circuit}", f"Start Time: {when}"]
    if options and flavour != "mac17":
        body.append(f"Options: {options}")
    if not failed_early:
        if flavour == "mac17" and method == "trap":
            method = "modified trap"
        body += [solver, "Maximum thread count: 1", f"tnom = {tnom}", f"temp = {temp}"]
        body += [f"method = {method}", *warnings, found]
    body += [*stepped, *trouble]
    elapsed_line = f"Total elapsed time: {elapsed:.3f} seconds."
    if flavour == "mac17":
        # real: only a measurement's line ends in CRLF
        tail = [f"{m}\r\n" for m in measures]
        tail = [end, *tail, end] if measures else [end]
        return [f"{line}{end}" for line in body] + (
            [*tail, f"{elapsed_line}{end}", end] if finished else []
        )
    if finished:
        body.append(elapsed_line)
        if over_defined:
            body += _paralleled(over_defined)
        elif not trouble:
            body += ["", "Files loaded:", circuit, ""]
            body += [*measures]
    return [f"{line}{end}" for line in body]


def log_bytes(lines, encoding):
    """Encode a log; "mixed" is what a program makes of a log that several parts wrote."""
    if encoding != "mixed":
        return "".join(lines).encode(encoding, "replace")
    cycle = ("utf-16-le", "cp1252", "utf-8")
    lines = [lines[0], "WARNING: T = 27 \u00b0C\n", *lines[1:]]
    return b"".join(line.encode(cycle[k % 3], "replace") for k, line in enumerate(lines))


def write_log(path, flavour, circuit, *, encoding=None, **options):
    """Write a log file; the options are those of `log_lines`."""
    lines = log_lines(flavour, circuit, **options)
    Path(path).write_bytes(log_bytes(lines, encoding or FLAVOURS[flavour].log))


_SAFE = {
    name: getattr(np, name) for name in ("abs", "sqrt", "exp", "log10", "sin", "cos", "tan", "tanh")
}


def _evaluate(text, columns, known):
    """Return an expression's values over the columns; only names of ours are in it."""
    table = {name.lower(): values for name, values in columns.items()}

    def vector(match):
        kind, inside = match[1].lower(), match[2].lower().replace(" ", "")
        if kind == "v" and "," in inside:
            one, other = inside.split(",")
            return f"(_t['v({one})']-_t['v({other})'])"
        return f"_t['{kind}({inside})']"

    code = re.sub(r"(?i)\b([vi]\w?)\(([^()]*)\)", vector, text)
    code = re.sub(r"(?i)(?<![\w.])(\d+\.?\d*)k\b", r"(\1*1e3)", code)
    code = re.sub(r"(?<![\w'])([A-Za-z_]\w*)(?!['\w])", lambda m: m[0].lower(), code)
    return eval(code, {"__builtins__": {}}, {**_SAFE, **known, "_t": table, "time": table["time"]})


def measure(rest, columns, known, digits):
    """Return a .meas card's name, its label, value, and the words and numbers after it.

    None for what fails or is not done here: LTspice then says FAIL'ed.
    """
    fields = rest.split()
    if fields[0].lower() in ("tran", "ac", "dc", "op", "noise", "tf"):
        fields = fields[1:]
    name, kind = fields[0].lower(), fields[1].lower() if len(fields) > 1 else ""
    text = " ".join(fields[2:])
    try:
        t = columns["time"]
        if kind == "param":
            result = float(np.ravel(_evaluate(text, columns, known))[-1])
            return name, text.lower(), result, []
        if kind == "find":
            expression, at = re.split(r"(?i)\s+at\s*=?\s*", text)
            moment = value(at)
            curve = np.broadcast_to(_evaluate(expression, columns, known), t.shape)
            return name, expression.lower(), float(np.interp(moment, t, curve)), [("at", moment)]
        limits = dict(re.findall(r"(?i)\b(from|to)\s*=?\s*(\S+)", text))
        limits = {k.lower(): value(v) for k, v in limits.items()}
        expression = re.split(r"(?i)\s+(?:from|to)\b", text)[0]
        a, b = limits.get("from", t[0]), limits.get("to", t[-1])
        curve = np.broadcast_to(_evaluate(expression, columns, known), t.shape)
        keep = (t > a) & (t < b)
        s = np.concatenate([[a], t[keep], [b]])
        v = np.concatenate([[np.interp(a, t, curve)], curve[keep], [np.interp(b, t, curve)]])
        result = {
            "max": v.max,
            "min": v.min,
            "pp": lambda: np.ptp(v),
            "avg": lambda: np.trapezoid(v, s) / (b - a),
            "integ": lambda: np.trapezoid(v, s),
            "rms": lambda: np.sqrt(np.trapezoid(v * v, s) / (b - a)),
        }[kind]()
        label = f"{kind.upper()}({expression.lower()})"
        return name, label, float(result), [("FROM", a), ("TO", b)]
    except (KeyError, ValueError, IndexError, SyntaxError, NameError, TypeError):
        return name, None, None, []


def measure_lines(cards, columns, lengths, digits):
    """Return the lines of all .meas cards: one line each, or a table where there are steps."""
    lines = []
    edges = np.cumsum([0, *(lengths or [len(next(iter(columns.values())))])])
    parts = [{n: v[a:b] for n, v in columns.items()} for a, b in itertools.pairwise(edges)]
    known = [{} for _ in parts]

    def text(number):
        return f"{number:.{digits}g}"

    for card in cards:
        rows = [
            measure(card, part, names, digits) for part, names in zip(parts, known, strict=True)
        ]
        for row, names in zip(rows, known, strict=True):
            if row[1] is not None:
                names[row[0]] = row[2]
        name, label, result, places = rows[0]
        if any(row[1] is None for row in rows):
            lines.append(f'Measurement "{name}" FAIL\'ed')
        elif not lengths:
            after = "".join(f" {word} {text(number)}" for word, number in places)
            lines.append(f"{name}: {label}={text(result)}{after}")
        else:
            lines += ["", f"Measurement: {name}"] if lines else [f"Measurement: {name}"]
            lines.append("\t".join(["  step", label, *(word for word, _ in places)]))
            lines += [
                "\t".join([f"{k:6d}", text(row[2]), *(text(n) for _, n in row[3])])
                for k, row in enumerate(rows, 1)
            ]
    return lines
