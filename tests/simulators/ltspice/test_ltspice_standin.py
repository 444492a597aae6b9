"""The stand-in for LTspice writes what LTspice writes: compared with LTspice's files, byte by byte,
and read by two readers that have nothing to do with this project."""

import itertools
import re
from pathlib import Path

import numpy as np
import pytest
from _standin_deck import Deck, DeckError, read_deck, value
from _standin_log import log_bytes, log_lines
from _standin_raw import compress, raw_bytes
from _standin_topology import floating

FILES = Path(__file__).parents[4] / "shared" / "ltspice_files"


def real(pattern):
    """Return LTspice's own files; without them the one test says so and is skipped."""
    found = sorted(FILES.rglob(pattern))
    if not found:
        skip = pytest.mark.skip(reason=f"no files of LTspice's at {FILES}")
        return [pytest.param(FILES / pattern, marks=skip)]
    return [pytest.param(p, id=str(p.relative_to(FILES)).split("__")[1]) for p in found]


class RealRaw:
    """A raw file of LTspice's, read with as little as possible."""

    def __init__(self, path):
        self.content = path.read_bytes()
        encoding = "utf-16-le" if self.content[1:2] == b"\0" else "latin-1"
        for section in ("Binary:\n", "Values:\r\n", "Values:\n"):
            mark = section.encode(encoding)
            if mark in self.content:
                break
        head, _, body = self.content.partition(mark)
        self.header = head.decode(encoding)
        self.ascii = section.startswith("Values")
        fields = dict(re.findall(r"^(\w[\w. ]*): ?(.*?)\r?$", self.header, re.MULTILINE))
        self.fields = fields
        rows = re.findall(r"^\t\d+\t(\S+)\t(\S+?)\r?$", self.header, re.MULTILINE)
        self.types = dict(rows)
        self.names = [name for name, _ in rows]
        self.flags = fields["Flags"].split()
        self.columns = self._ascii(body) if self.ascii else self._binary(body)

    @property
    def flavour(self):
        if self.fields["Command"].endswith("IV"):
            return "iv"
        # late versions of XVII write exponents as those after them
        return "xvii" if self.fields["Offset"].endswith("e+000") else "win26"

    def _binary(self, body):
        wide = "<c16" if "complex" in self.flags else "<f8"
        narrow = "<f4" if "real" in self.flags and "double" not in self.flags else wide
        kinds = [(n, wide if k == 0 else narrow) for k, n in enumerate(self.names)]
        table = np.frombuffer(body, np.dtype(kinds))
        return {name: table[name] for name in self.names}

    def _ascii(self, body):
        lines = body.decode("ascii").split("\n")[:-1]
        if "complex" in self.flags:
            parts = [line.strip().split("\t", 1)[-1].split(",") for line in lines]
            numbers = np.array([complex(float(a), float(b)) for a, b in parts])
        else:
            numbers = np.array([float(line.split("\t")[-1]) for line in lines])
        table = numbers.reshape(-1, len(self.names))
        return {name: table[:, k] for k, name in enumerate(self.names)}


@pytest.mark.slow
@pytest.mark.parametrize("path", real("*.raw"))
def test_a_file_of_ltspices_is_written_again_byte_by_byte(path):
    """From what a file of LTspice's holds, the stand-in's writer makes the same file."""
    file = RealRaw(path)
    title = file.fields["Title"].encode("latin-1").decode("utf-8")
    content, _ = raw_bytes(
        title,
        file.fields["Plotname"],
        file.columns,
        flavour=file.flavour,
        double="double" in file.flags,
        ascii=file.ascii,
        flags=file.fields["Flags"],
        stamp=file.fields["Date"],
        command=file.fields["Command"],
        types=file.types,
    )
    if not file.ascii:
        assert content == file.content
        return
    theirs = file.content
    if "acascii" in path.name:
        # git took the CRs of this one, and it has the tab of late versions
        content, theirs = content.replace(b"\r\n", b"\n"), theirs.replace(b",\t", b",")
    # 16 digits do not tell a number quite: the layout must be the same, and 15 digits
    digits = re.compile(rb"\d\.\d{15}e[-+]\d{3}")
    assert digits.sub(b"#", content) == digits.sub(b"#", theirs)
    ours = [float(text) for text in digits.findall(content)]
    assert ours == pytest.approx([float(text) for text in digits.findall(theirs)], rel=1e-15, abs=0)


@pytest.mark.parametrize(
    ("name", "flavour", "options"),
    [
        (
            "ltspice_good.log",
            "mac17",
            {"measures": ["vout_pk: MAX(v(out))=0.999955 FROM 0 TO 0.005"]},
        ),
        ("test1.log", "xvii", {"measures": ["current: i(r1)=2.5"]}),
        ("test9.log", "xvii", {"steps": ["vin=-1", "vin=0", "vin=1"]}),
        ("test14.log", "xvii", {"measures": ["m1: AVG(v(out))=493.1 FROM 0 TO 1"]}),
        ("test15.log", "xvii", {}),
    ],
)
def test_a_log_of_ltspices_is_written_again(name, flavour, options):
    """But for the solver's statistics, which differ from run to run."""
    found = sorted(FILES.rglob(name))
    if not found:
        pytest.skip(f"no files of LTspice's at {FILES}")
    content = found[0].read_bytes()
    encoding = "utf-16-le" if content[1:2] == b"\0" else "utf-8"
    text = content.decode(encoding)
    circuit = re.search(r"Circuit: (.*)", text)[1]
    inspected = ".OP point found by inspection." in text
    if "steps" in options or name == "test15.log":
        # tables and names of its own: taken over as they stand
        after = text.split("inspection.\n\n" if inspected else ".step vin=1\n\n\n")[1]
        options["measures"] = after.split("\n\n\nDate")[0].split("\n")
    lines = log_lines(
        flavour,
        circuit,
        found=".OP point found by inspection."
        if inspected
        else "Direct Newton iteration for .op point succeeded.",
        warnings=re.findall(r"WARNING: .*", text),
        stamp=re.search(r"(?:Date|Start Time): (.*)", text)[1],
        elapsed=float(re.search(r"time: (\S+) seconds", text)[1]),
        **options,
    )
    assert log_bytes(lines, encoding)[:20] == content[:20]

    def settled(words):
        # figures of the run, and which of the two compilers was off
        return re.sub(
            r"(?m)^(\w+iter|tranpoints|accept|rejected|matrix size|Matrix Comp\w+\d).*",
            r"\1",
            words,
        )

    assert settled("".join(lines)) == settled(text)


@pytest.mark.parametrize("parabolic", [True, False])
def test_compression_stays_within_its_tolerance(parabolic):
    """Parabolas through the retained points are as near the curve as they promise."""
    t = np.sort(np.concatenate([[0, 1], np.random.default_rng(3).uniform(0, 1, 5000)]))
    columns = [np.sin(20 * t), np.exp(-5 * t) - (t > 0.5), np.zeros_like(t)]
    thin, values = compress(t, columns, 1e-3, parabolic=parabolic)
    assert len(thin) < len(t) / 8
    assert np.array_equal(np.abs(thin), np.sort(np.abs(thin)))
    assert (thin < 0).any() == parabolic
    middle = np.flatnonzero(np.signbit(thin) & (thin != 0))
    assert -thin[middle] == pytest.approx((thin[middle - 1] + thin[middle + 1]) / 2, rel=1e-12)
    for thinned, column in zip(values, columns, strict=True):
        back = restore(thin, thinned, t)
        assert np.max(np.abs(back - column)) <= 1.001e-3 * max(np.ptp(column), 1e-300) + 1e-12


def restore(time, values, at):
    """Return a compressed waveform at other times: a parabola where a middle point is marked."""
    out = np.interp(at, np.abs(time), values)
    for k in np.flatnonzero(time < 0):
        a, b, c = np.abs(time[k - 1 : k + 2])
        inside = (at >= a) & (at <= c)
        coefficients = np.polyfit(
            [(a - b) / (c - a), 0, (c - b) / (c - a)], values[k - 1 : k + 2], 2
        )
        out[inside] = np.polyval(coefficients, (at[inside] - b) / (c - a))
    return out


GOOD = b"* title\nV1 a 0 PULSE(0 1 0 1u 1u 1m 2m)\nR1 a b 1k\nC1 b 0 100n\n.tran 0 5m 0 5u\n.end\n"


@pytest.mark.parametrize(
    ("card", "kind"),
    [
        (".control", "directive"),
        (".endc", "directive"),
        (".plot v(a)", "directive"),
        (".options reltol=1e-3 interp", "option"),
        (".options savecurrents", "option"),
        (".options reltoll=1e-3", "option"),
        ("N1 a 0 1", "device"),
        ("R2 a 0 1k $ comment", "syntax"),
        ("R2 a 0 1k // comment", "syntax"),
        (".save v(x1.a)", "hierarchy"),
        (".ic V(X1.a)=0", "hierarchy"),
        ("B1 a 0 I=limit(V(b),0,1)", "portable"),
        ("B1 a 0 I=if(V(b)>0,1,0)", "portable"),
        ("B1 a 0 I=V(b)^2", "portable"),
        ("R2 a 0 {2*pi}", "portable"),
        ("C2 a 0 1n Rser=1", "portable"),
        ("R2 a 0 2k2", "number"),
        ("C2 a 0 1µ", "character"),
        ("R2 a 0", "value"),
        ("r1 a 0 1", "duplicate"),
        (".tran 1u", "analyses"),
        (".step param r list 1k", "step"),
        (".step param r 1k 2k 0", "step"),
    ],
)
def test_what_a_deck_must_not_have(card, kind):
    deck = GOOD.replace(b".end\n", card.encode() + b"\n.end\n")
    with pytest.raises(DeckError) as caught:
        read_deck(deck)
    assert caught.value.kind == kind


def test_a_good_deck_is_read():
    deck = read_deck(GOOD.replace(b".tran", b".options numdgt=15 plotwinsize=0\n.save V(b)\n.tran"))
    assert isinstance(deck, Deck)
    assert deck.options == {"numdgt": "15", "plotwinsize": "0"}
    assert (deck.saves, deck.t_stop) == (["V(b)"], 5e-3)
    with pytest.raises(DeckError, match="no analysis"):
        read_deck(b"* title\nR1 a 0 1\n.end\n")
    # what LTspice accepts passes where only LTspice is asked
    read_deck(GOOD.replace(b".end", b"B1 a 0 I=if(V(b)>0,1,0)\n.end"), check="ltspice")


def test_steps_nest_and_end_at_the_stop():
    cards = b".step param r list 1k 2k\n.step param c 1n 3.5n 1n\n.step oct param d 1 4 1\n"
    deck = read_deck(GOOD.replace(b".end\n", cards + b".end\n"))
    assert deck.steps[1][1] == pytest.approx([1e-9, 2e-9, 3e-9, 3.5e-9])
    assert deck.steps[2][1] == pytest.approx([1, 2, 4])
    combinations = deck.combinations()
    assert len(combinations) == 24
    # the first varies fastest, as LTspice's logs show
    assert [c["r"] for c in itertools.islice(combinations, 3)] == [1e3, 2e3, 1e3]


@pytest.mark.parametrize(
    ("text", "number"),
    [("1k", 1e3), ("2.5meg", 2.5e6), ("1e-7", 1e-7), (".5u", 5e-7), ("3M", 3e-3)],
)
def test_numbers(text, number):
    assert value(text) == pytest.approx(number)


def test_nodes_that_nothing_holds():
    cards = b"""C2 in2 q 1n
C3 q 0 1n
I1 0 p 1u
C4 p 0 1n
X1 a b half
.subckt half one two
B1 two m V=V(one)
C1 m 0 1n
B2 0 n I=V(m)
C2 n 0 1n
.ends
V2 in2 0 1
"""
    deck = read_deck(GOOD.replace(b".tran", cards + b".tran"))
    assert floating(deck) == [("q", None), ("p", "i1"), ("x1:n", None)]


def test_the_stand_in_is_independent():
    """A reader is tested against it, so nothing of the package may be in it."""
    here = Path(__file__).parents[2] / "_helpers"
    files = [here / "ltspice_standin.py", *here.glob("_standin_*.py")]
    assert len(files) > 5
    for file in files:
        assert not re.search(r"(?m)^\s*(from|import) spicealif", file.read_text()), file
