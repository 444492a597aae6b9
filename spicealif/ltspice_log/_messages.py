r"""Errors and warnings in LTspice's logs.

Wordings differ by version, and few say of themselves what they are. Each rule below names where its
wording was seen:

- "log": a log among LTspice's own files that the tests read;
- "recorded": a log of LTspice XVII or 26.1.1 that a public project recorded from a broken netlist
  (Cognitohazard/ltspice-mcp, tests/fixtures/ltspice_recorded);
- "project": a log of LTspice IV in a public project (mainster/LTspiceWorkspace);
- "ADI": Analog Devices' reference for LTspice 24 and later (analogdevicesinc/ltspice-reference);
- "report": a thread, or another project's notes of its own runs.

What recovers by itself is left out: "Direct Newton iteration failed", "Gmin stepping failed",
"Source stepping failed", "Pseudo Transient failed", "Changing Tseed", "vernier =", "Gmin =" are
stages of the search for an operating point, and whether it was found is said after them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

__all__ = ["Finding", "LogMessage", "find_message", "shows_run", "shows_solution"]

Fate = Literal["fatal", "not fatal", "unless run", "unless solved"]

_LONGEST = 1000  # characters of a message that are kept
_MORE = 3  # further lines that may belong to a message


@dataclass(frozen=True)
class LogMessage:
    """An error or a warning.

    Attributes
    ----------
    level : {"error", "warning"}
        What LTspice makes of it.
    text : str
        The message in one line, with the line of the netlist that LTspice quotes; at most 1000
        characters.
    line : int or None
        The line that LTspice names, as it counts: from 1, the title included.
    names : tuple of str
        The elements and nodes it mentions, in LTspice's spelling, such as ``x_cmp:t1``.
    fatal : bool
        Whether the run's data are missing, incomplete or no solution because of it.
    file : str
        The file that LTspice 24 and later name before the line; empty if none is named, which
        means the netlist itself.
    """

    level: Literal["error", "warning"]
    text: str
    line: int | None = None
    names: tuple[str, ...] = ()
    fatal: bool = False
    file: str = ""


@dataclass(frozen=True)
class Finding:
    """A message whose consequence may depend on what the rest of the log says."""

    message: LogMessage
    fate: Fate
    index: int

    def judged(self, *, ran: bool, solved: int) -> LogMessage:
        """Decide whether it is fatal.

        Parameters
        ----------
        ran : bool
            Whether the log shows that an analysis was begun.
        solved : int
            Index of the last line that says that an operating point was found; -1 if none does.

        Returns
        -------
        LogMessage
        """
        fatal = (
            self.fate == "fatal"
            or (self.fate == "unless run" and not ran)
            or (self.fate == "unless solved" and solved < self.index)
        )
        m = self.message
        level: Literal["error", "warning"] = "error" if fatal else m.level
        # A complaint about a line of a file that did not stop the run is a warning.
        if m.file and not fatal:
            level = "warning"
        return LogMessage(level, m.text, m.line, m.names, fatal, m.file)


# The level, what it means for the run, and how the line begins.
_RULES: tuple[tuple[Literal["error", "warning"], Fate, str], ...] = (
    # "Fatal Error: Unknown subcircuit called in:" + "   x1 in out nosuchsub" (recorded, XVII),
    # "Fatal Error: Analysis: Time step too small; time = 1.264, ..." (report). XVII puts these
    # two words before every reason not to run.
    ("error", "fatal", r"(?:\w{1,20} ){0,2}fatal error\b"),
    # "Convergence Failure:  Time step too small; initial timepoint: trouble with node "a"" and
    # "Simulation Failed: Iteration limit reached" (recorded, 26; ADI), "Simulation Failed: Matrix
    # is singular" (report, 26.0.2)
    ("error", "fatal", r"convergence failure:|simulation failed:"),
    # "Analysis: Time step too small; time = 0.000282627, timestep = 1.25e-19: trouble with node
    # 'n005'." (report, 24), "Analysis: time step too small; time = 1.1e-009, timestep =
    # 1.125e-019: trouble with d-flop instance a3" (report, XVII)
    ("error", "fatal", r"(?:analysis: {0,3})?(?:time ?step too small|iteration limit reached)"),
    # "Singular matrix:  Check node u1:15" (report, Wine); "Matrix is singular"
    ("error", "unless solved", r"singular matrix\b|matrix is singular"),
    # "Voltage source V2 and voltage source V1 are paralleled making an over-defined circuit
    # matrix." (recorded, 26: behind the elapsed time)
    ("error", "fatal", r".{1,300}over-defined circuit matrix"),
    # "No analysis specified.", "More than one analysis specified." (recorded, 26)
    ("error", "fatal", r"(?:no|more than one) analysis specified"),
    # "R1: Resistance must not be zero." (recorded, 26)
    ("error", "fatal", r"\S{1,200}: .{1,100} must not be zero"),
    # "Could not open library file opamp.lib" (report, 26.0.2)
    ("error", "fatal", r"could not open (?:library|include) file"),
    # "Can't find definition of model "NMOS_3v3"" (report, of a dialog of XVII), and the wording of
    # the first rule without its two words
    ("error", "fatal", r"unknown subcircuit|can(?:'|no)t find (?:the )?definition of model"),
    # "Error on line 4 : .frobnicate 1 2" + "\t Unknown control card" (recorded, XVII: the run goes
    # on), "Error on line 2 : s1 n003 n001 n002 0 sw Unable to find definition of model "sw""
    # (report: it does not)
    ("error", "unless run", r"error on line [0-9]"),
    # "ERROR: Node a is floating and connected to current source I1" (recorded, XVII and 26: the
    # run goes on, and the node's voltage is the current over gmin); "Error: FIND can not be
    # evaluated over an interval." below a .meas (recorded, XVII)
    ("error", "not fatal", r"error:"),
    # "WARNING: Less than two connections to node OUT.  This node is used by V1." (log), "WARNING:
    # Node VO2 is floating.", "Warning: Multiple definitions of model "bc847b" Type: BJT" (reports)
    ("warning", "not fatal", r"warning:"),
    # "Questionable use of curly braces in "b1 a 0 v={v(b)}"" + "    Error: undefined symbol in:
    # "[v](b)"" (recorded, XVII)
    ("warning", "not fatal", r"questionable use of"),
    # "Measurement "never" FAIL'ed" (recorded, XVII and 26)
    ("warning", "not fatal", r'measurement "[^"]{1,1000}" fail'),
    # "Instance "M1": Length shorter than recommended for a level 1 MOSFET." (recorded, 26)
    ("warning", "not fatal", r'instance "[^"]{1,200}":'),
    # "Trouble finding operating point....skipping operating point for Transient analysis."
    # (recorded, 26)
    ("warning", "not fatal", r"trouble finding operating point"),
    # "Unknown node in .ic card: "s" -- ignoring", "C4: both pins shorted together -- ignoring.",
    # "M2: all pins shorted together -- ignoring.", "Unknown model type "ctrl-v-s" -- ignored"
    # (project): what is computed is another circuit than the one that was drawn
    ("warning", "not fatal", r".{1,600}--? {0,2}ignor(?:ing|ed)\b"),
    # "E3: Trouble evaluating Laplacian at DC.", "V1: Missing value, assumed 0V @ DC", "V4: Removing
    # PWL point (0.7,0)", "C4: Increased Cpar to 3e-016", "x1:tload: using linear interpolation
    # because trytocompact option specified" (project)
    (
        "warning",
        "not fatal",
        r"\S{1,200}: (?:trouble evaluating|missing value|removing pwl|increased|decreased|"
        r"using linear)",
    ),
    # ".dc sweep increment has wrong sign -- fixing...", "Number of points per octave reduced from
    # 10000 to 9375.", "Limiting fall time of source v3 to 6.07e-019", "Terminal Gmin changed to
    # 1e-12", "This circuit has floating nodes.", ".fourier quantity "I(l1)" not pressent in data.",
    # "Note: .fourier statements are only valid with a .tran command.", "Stray ".ends" card: .ends",
    # "Missing ".ends" statement in file "x.sub"", "Model "nmos": Oxide thickness thinner than
    # recommended for a level 1 MOSFET." (project)
    (
        "warning",
        "not fatal",
        r"\.dc sweep increment|number of points per|limiting (?:rise|fall) time|terminal gmin|"
        r"this circuit has|\.four(?:ier)? quantity|note: |stray \"|missing \"|"
        r"model \"[^\"]{1,200}\":",
    ),
    # "Netlist warning in file x.cir at or near line 5", "User error", "Dev fatal error" and the
    # like, with indented lines behind: Xyce (its source, N_ERH_Message)
    (
        "error",
        "unless run",
        r"(?:netlist|user|usr|dev|device|simulation|topology|parsing) {1,2}error\b",
    ),
    (
        "warning",
        "not fatal",
        r"(?:netlist|user|usr|dev|device|simulation|topology|parsing) {1,2}warning\b",
    ),
    ("error", "fatal", r"simulation aborted|\*{3} xyce abort"),
    # "Multiple instances of "R1"" (hearsay: no log was found)
    ("warning", "unless run", r'multiple (?:instances|definitions) of "'),
)
_RULE = re.compile("|".join(f"({rule})" for _, _, rule in _RULES), re.IGNORECASE)

#: Words of a line of unknown form that says that something is not as it was asked for.
_DOUBT = re.compile(
    r"\b(?:ignor(?:ed|ing)|assum(?:ed|ing)|default(?:ed|ing) to|unknown|unrecogni[sz]ed|"
    r"unsupported|"
    r"not (?:found|supported|implemented|pres{1,2}ent|defined|allowed)|illegal|invalid|undefined|"
    r"missing|trouble|clipped|clamped|truncated|replaced|discarded|could not|cannot|can't|"
    r"failed to (?:open|read|load|parse)|(?:are|is|pins) shorted)\b",
    re.IGNORECASE,
)
#: Lines with such words that say nothing of the result.
_STAGES = (
    "Ignoring empty pin current",
    "Direct Newton",
    "Could not converge to DC with sources off",
    "Gmin stepping",
    "Source stepping",
    "Pseudo Transient",
)

_RUN = re.compile(
    r"solver = |\.OP point found|direct newton|per \.tran options|starting gmin|total elapsed time",
    re.IGNORECASE,
)
_SOLUTION = re.compile(
    r"\.OP point found by inspection|.{1,80}\.op point succeeded|"
    r".{1,80}succeeded in finding (?:the )?operating point",
    re.IGNORECASE,
)
_LINE = re.compile(r"error on line ([0-9]{1,9})", re.IGNORECASE)
_NAMES = re.compile(
    r"(?:\bnodes? (?!is\b|named?\b)|\bused by |\b(?:voltage|current) source |\binductor |"
    r"\binstance (?!with\b|is\b|named?\b))[\"']?([^\s\"',;]{1,200})",
    re.IGNORECASE,
)
# The element that a quoted line of the netlist begins with, or that the message is about.
_CARD = re.compile(r"(?:error on line [0-9]+ ?: ?|called in: ?)([^\s.*+]\S{0,200})", re.IGNORECASE)
_SUBJECT = re.compile(r"(\S{1,200}): .{1,100} must not be zero", re.IGNORECASE)


def find_message(lines: list[str], k: int) -> tuple[Finding | None, int]:
    """Read the message that begins at a line.

    Parameters
    ----------
    lines : list of str
        The log.
    k : int
        Index of the line.

    Returns
    -------
    finding : Finding or None
        None if no message begins there.
    end : int
        Index of the first line that is not part of it.
    """
    line = lines[k][: 2 * _LONGEST].strip()
    if located := _located(line):
        return _complaint(lines, k, line, *located)
    match = _RULE.match(line)
    if not match:
        # ".meas tran broken find v(out at 0.5m" + "  Error: FIND can not be evaluated over an
        # interval." (recorded, XVII)
        if line.startswith(".") and _is_more(lines, k + 1, "error:"):
            text = _one_line([line, lines[k + 1]])
            return Finding(LogMessage("error", text), "unless run", k), k + 2
        if _DOUBT.search(line) and not line.startswith(_STAGES):
            text = _one_line([line])
            return Finding(
                LogMessage("warning", text, None, _names(text, [])), "unless run", k
            ), k + 1
        return None, k
    level, fate, _ = _RULES[(match.lastindex or 1) - 1]
    parts = [line]
    end = k + 1
    while end < len(lines) and len(parts) <= _MORE and _is_more(lines, end):
        parts.append(lines[end])
        end += 1
    # "You will need to correct the circuit or add some series resistance." (recorded, 26)
    if end < len(lines) and lines[end].startswith("You will need to correct"):
        parts.append(lines[end])
        end += 1
    text = _one_line(parts)
    number = _LINE.match(text)
    names = [m[1] for m in (_CARD.search(text), _SUBJECT.match(text)) if m]
    message = LogMessage(level, text, int(number[1]) if number else None, _names(text, names))
    return Finding(message, fate, k), end


def shows_run(line: str) -> bool:
    """Whether a line says that an analysis was begun.

    Parameters
    ----------
    line : str

    Returns
    -------
    bool
    """
    return _RUN.match(line) is not None


def shows_solution(line: str) -> bool:
    """Whether a line says that an operating point was found.

    Parameters
    ----------
    line : str

    Returns
    -------
    bool
    """
    return _SOLUTION.match(line) is not None


def _located(line: str) -> tuple[str, int] | None:
    r"""Take apart ``C:\deck.cir(4): Undefined model "d".``: the file and the line."""
    end = line.find("): ")
    start = line.rfind("(", 0, end) if end > 0 else -1
    number = line[start + 1 : end]
    file = line[:start] if start > 0 else ""
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        return None
    return (file, int(number)) if any(mark in file for mark in "./\\") else None


def _complaint(lines: list[str], k: int, line: str, file: str, number: int) -> tuple[Finding, int]:
    """Read what 24 and later say of a line of a file: the message, the line, a row of carets."""
    parts = [line]
    names: list[str] = []
    end = k + 1
    if k + 2 < len(lines) and _is_caret(lines[k + 2]):
        card = lines[k + 1].strip()
        parts.append(card[:_LONGEST])
        if card and card[0] not in ".*+":
            names.append(card[:200].split()[0])
        end = k + 3
    text = _one_line(parts)
    message = LogMessage("error", text, number, _names(text, names), file=file)
    return Finding(message, "unless run", k), end


def _is_caret(line: str) -> bool:
    return len(line) < 10 * _LONGEST and set(line.strip()) == {"^"}


def _is_more(lines: list[str], k: int, begins: str = "") -> bool:
    """Whether a line is indented, as those are that continue a message, and begins so."""
    if k >= len(lines) or not lines[k][:1].isspace():
        return False
    text = lines[k][: 2 * _LONGEST].strip()
    return bool(text) and text[: len(begins)].lower() == begins


def _one_line(parts: list[str]) -> str:
    text = " ".join(" ".join(part[: 2 * _LONGEST].split()) for part in parts)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _names(text: str, first: list[str]) -> tuple[str, ...]:
    """All names that a message mentions, each once."""
    found = first + _NAMES.findall(text)
    return tuple(dict.fromkeys(name.rstrip(".:") for name in found if name.rstrip(".:")))
