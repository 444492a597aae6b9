"""Makers' models written by hand for the tests, and files that do harm."""

#: Boyle's op-amp with a TL072's figures, all values our own; {cs} is what makes its second pole.
BOYLE = """\
* TL072 (Boyle), hand-written; pins: in+ in- v+ v- out
.SUBCKT TL072 1 2 3 4 5
IEE 3 10 DC 234U ; tail
J1 11 2 10 JP
J2 12 1 10 JP
RD1 4 11 4K
RD2 4 12 4K
CS 11 12 {cs}
RE 10 99 1MEG
GA 6 0 11 12 2.5E-4
GCM 0 6 10 99 1E-8
R2 6 9 100K
VB 9 0 DC 0
CC 6 7 18E-12
FO 7 99 POLY(5) VB VC VE VLP VLN
+ 0 5E6 -5E6 5E6 5E6 -5E6
EG 99 0 POLY(2) (3,0) (4,0) 0 .5 .5
RO2 7 99 100
VLIM 7 8 DC 0
RO1 8 5 100
DOP 5 53 DI
VC 3 53 DC 2
DON 54 5 DI
VE 54 4 DC 2
HLIM 90 0 VLIM 1K
DLP 90 91 DI
VLP 91 0 DC 20
DLN 92 90 DI
VLN 0 92 DC 20
RP 3 4 7K
.MODEL DI D(IS=1E-15)
.MODEL JP PJF(IS=1E-11 BETA=300U VTO=-1)
.ENDS
"""
TL072 = BOYLE.replace("{cs}", "3.1E-12")
#: Without the second pole, at 6.4 MHz, that `OpAmp` has not got either.
TL072_ONE_POLE = BOYLE.replace("{cs}", "1E-16")
#: Its figures: GA RD 2 sqrt(BETA IEE / 2) / (2 pi CC), GA RD IEE / CC, RO1, and so on.
TL072_FIGURES = {
    "kind": "behavioural",
    "name": "tl072b",
    "open_loop_gain": 1.87e5,
    "gain_bandwidth": 3.313e6,
    "slew_rate": 13e6,
    "r_out": 100.0,
    "c_in": 1e-15,
    "i_bias": 0.0,
}

#: A PNP pair, a limiter, two poles and an output resistance: the AD8561's figures.
CMP2 = """\
* two-transistor comparator, hand-written
.SUBCKT CMP2 INP INN VCC VEE OUT PARAMS: VOH=3.8 VOL=18M TP=4.170770431643883N
CIP INP VEE 3P
CIN INN VEE 3P
IT VCC E 202u
Q1 C1 INN E QP
Q2 C2 INP E QP
RC1 C1 VEE 1K
RC2 C2 VEE 1K
E1 A VEE VALUE={VOL+(VOH-VOL)/2*(1+TANH(K*V(C1,C2)))}
.PARAM K={2*11.4K/(VOH-VOL)*2*25.72M/0.196}
X1 A D LAG PARAMS: T={TP}
X2 D O LAG PARAMS: T={TP}
RO O OUT 180
.ENDS
.SUBCKT LAG A B PARAMS: T=1N
R1 A C 1K
C1 C 0 {T/RUNIT}
E1 B 0 C 0 1
.ENDS
.PARAM RUNIT=1K
.MODEL QP PNP(IS=1F BF=32.7)
"""
COMPARATOR = {"kind": "subcircuit", "model": "CMP2", "pins": "in+ in- v+ v- out", "v_oh": 3.8}
COMPARATOR |= {"v_ol": 0.018, "text": CMP2}
OPAMP = {"kind": "subcircuit", "model": "TL072", "pins": "in+ in- v+ v- out"}

#: A VDMOS of the paper's values, as a card and within a subcircuit.
MOSFET = """\
.model N7 VDMOS(Rg=3 Vto=2.19 Kp=0.46 Rs=0.9 Rd=1m Cgdmax=80p Cgdmin=2.8p Cgs=16p Cjo=40p
+ Is=40f Ksubthres=0.1 VJ=0.8 mtriode=1 mfg=Fairchild Vds=60 Ron=2)
.SUBCKT M7 D G S
M1 D G S N7
.ENDS
"""

_GOOD = ".subckt OK 1 2 3 4 5\nR1 1 2 1k\n{inside}\n.ends\n{outside}\n"


def _inside(text):
    return _GOOD.format(inside=text, outside="")


def _outside(text):
    return _GOOD.format(inside="", outside=text)


#: Files that would run, read or write something, never end, or are no model; and a word of what is
#: said of each.
HOSTILE = {
    "control": (_outside(".control\nshell touch owned\n.endc"), "it runs commands"),
    "control inside": (_inside(".control\nshell touch owned\n.endc"), "it runs commands"),
    "control in capitals": (_outside(".CONTROL\nshell touch owned\n.ENDC"), "it runs commands"),
    "control indented": (_inside("  \t.control"), "it runs commands"),
    "control after .end": (_outside(".end\n.control\nshell touch owned\n.endc"), "after .end"),
    "control by continuation": (_outside(".cont\n+rol"), "no part of a model"),
    "include": (_outside('.include "/etc/passwd"'), "reads another file"),
    "include without quotes": (_outside(".include other.cir"), "reads another file"),
    "inc": (_inside(".inc other.cir"), "reads another file"),
    "lib": (_outside(".lib other.lib"), "reads another file"),
    "lib by URL": (_outside(".lib http://example.com/x.lib"), "reads another file"),
    "absolute path": (_outside(".lib /etc/passwd"), "reads another file"),
    "windows path": (_outside(".inc C:\\x.lib"), "reads another file"),
    "pwl file": (_inside('V1 1 2 PWL FILE="x.txt"'), "a model's card"),
    "pwl file=": (_inside("V1 1 2 PWL(file=x.txt)"), "reads a file"),
    "pwl file in capitals": (_inside("I1 1 2 PWL FILE = x.txt"), "reads a file"),
    "pwl file without =": (_inside("V1 1 2 PWL FILE x.txt"), "'FILE', which no source"),
    "wavefile": (_inside("V1 1 2 wavefile=x.wav"), "reads a file"),
    "filesource": (_inside(".model fs filesource (file=x.txt)"), "reads a file"),
    "external source": (_inside("V1 1 2 external"), "another program drives"),
    "random source": (_inside("V1 1 2 TRNOISE(1 1n 0 0)"), "a random source"),
    "random value": (_inside("R2 1 2 {agauss(1k,10,1)}"), "drawn at random"),
    "random parameter": (_outside(".param r=gauss(1k,0.1,1)"), "drawn at random"),
    "xspice device": (_inside("a1 1 2 gain1"), "XSPICE"),
    "xspice model": (_inside(".model g1 gain(gain=2)"), "of a type that is not taken"),
    "d_cosim": (_inside(".model d1 d_cosim(simulation=x.so)"), "of a type that is not taken"),
    "osdi device": (_inside("N1 1 2 mod"), "a compiled model"),
    "hdl": (_outside(".hdl x.va"), "compiled model"),
    "pre_osdi": (_outside("pre_osdi x.osdi"), "no element that is taken"),
    "dot pre_osdi": (_outside(".pre_osdi x.osdi"), "compiled model"),
    "options": (_outside(".options reltol=1"), "no part of a model"),
    "save": (_outside(".save all"), "no part of a model"),
    "tran": (_outside(".tran 1n 1"), "no part of a model"),
    "meas": (_outside(".meas tran x find v(1) at=1"), "no part of a model"),
    "wave": (_outside(".wave out.wav 16 44100 v(1)"), "writes a file"),
    "exec": (_outside(".exec touch owned"), "runs commands"),
    "csparam": (_outside(".csparam x=1"), "no part of a model"),
    "global": (_outside(".global v_c"), "our circuit"),
    "ic": (_outside(".ic v(v_c)=1"), "no part of a model"),
    "step": (_outside(".step param x 1 2 1"), "ngspice does not know it"),
    "temp": (_outside(".temp 100"), "no part of a model"),
    "if": (_outside(".if (1)\n.endif"), "no part of a model"),
    "back-tick": (_inside("R2 1 2 `touch owned`"), "a model's card"),
    "dollar variable": (_inside("R2 1 2 $HOME"), "a model's card"),
    "at sign": (_inside("B1 1 2 V=@r1[i]"), "a model's card"),
    "quoted expression": (_inside("R2 1 2 'x'"), "a model's card"),
    "backslash": (_inside("R2 1 2 1k \\"), "a model's card"),
    "script comment": ("*ng_script\nshell touch owned\n", "comment that ngspice runs"),
    "element outside": (_outside("R9 v_c 0 1"), "outside a subcircuit"),
    "call of ours": (_inside("X1 1 2 mms_memristor"), "does not have"),
    "model of ours": (_inside("M1 1 2 3 n2n7002"), "names no model"),
    "twice": (_outside(".subckt OK 1 2\nR1 1 2 1\n.ends"), "is there twice"),
    "a name that eats all memory": (
        _inside("M1 1 2 3 myvdmos") + ".model myvdmos vdmos(vto=2)\n",
        "takes for something else",
    ),
    "a parameter that ngspice has": (_outside(".param VT=4700"), "takes its own of that name"),
    "a call's parameter that ngspice has": (
        _inside("X1 1 2 S TEMP=4700\n.subckt S 1 2 PARAMS: k=1\nR1 1 2 {k}\n.ends"),
        "takes its own of that name",
    ),
    "a subcircuit's parameter that ngspice has": (
        _outside(".subckt S 1 2 PARAMS: vt=1\nR1 1 2 {vt}\n.ends"),
        "takes its own of that name",
    ),
    "a function's argument that ngspice has": (
        _outside(".func f(a,time) {a*time}"),
        "takes its own of that name",
    ),
    "a comma that hangs ngspice": (_outside(".param r=4700,a=1"), "a comma outside parentheses"),
    "a decimal comma": (_inside("R2 1 2 4,7k"), "a comma outside parentheses"),
    "hysteresis below 0": (
        _inside("S1 1 2 3 4 SM\n.model SM SW(Ron=1k Roff=1G Vt=0.2 Vh=-0.1)"),
        "switches smoothly",
    ),
    "models of one name": (
        _inside("D1 1 2 DD") + ".model DD D(is=1f)\n.model DD D(is=1p)\n",
        "is there twice",
    ),
    "optional nodes": (
        _outside(".subckt S 1 2 OPTIONAL: 3=0\nR1 1 2 1k\n.ends"),
        "optional nodes",
    ),
    "no end": (".subckt OK 1 2 3 4 5\nR1 1 2 1k\n", "has no .ends"),
    "endless call": (_inside("X1 1 2 3 4 5 OK"), "contains itself"),
    "endless function": (_outside(".func f(x) {f(x)+f(x)}"), "made of itself"),
    "growing functions": (
        _outside(
            "\n".join(
                [
                    ".func f0(x) {x}",
                    *(f".func f{k}(x) {{f{k - 1}(x)+f{k - 1}(x)}}" for k in range(1, 40)),
                ]
            )
        ),
        "grows to more than",
    ),
    "endless parameter": (_outside(".param a={b} b={a}"), "made of itself"),
    "bomb of calls": (
        _inside("X1 1 2 S0")
        + "\n".join(f".subckt S{k} 1 2\n" + f"X1 1 2 S{k + 1}\n" * 9 + ".ends" for k in range(9))
        + "\n.subckt S9 1 2\nR1 1 2 1\n.ends\n",
        "more than 5000 devices",
    ),
    "zero byte": (_inside("R2 1 2 1k\0"), "control character"),
    "zero byte in a comment": (_inside("* x\0y"), "control character"),
    "vertical tab": (_inside("R2 1 2 1k\x0b.control"), "control character"),
    "form feed": (_inside("R2 1 2 1k\x0c.control"), "control character"),
    "escape": (_inside("R2 1 2 1k\x1b[2J"), "control character"),
    "next line": (_inside("R2 1 2 1k\x85.control"), "no ASCII character"),
    "line separator": (_inside("R2 1 2 1k\u2028.control"), "no ASCII character"),
    "ohm sign": (_inside("R2 1 2 1k\u03a9"), "no ASCII character"),
    "other digits": (_inside("R2 1 2 \u0661k"), "no ASCII character"),
    "long card": (_inside("R2 1 2 {1" + "+1" * 5000 + "}"), "longer than 8000"),
    "long by continuation": (_inside("R2 1 2 1k" + "\n+ tc=0" * 2000), "longer than 8000"),
    "large file": ("* x\n" * 300_000, "longer than 1 MB"),
    "large model": (
        _inside("\n".join(f"R{k} 1 2 {{{k}+1000000}}" for k in range(2, 4000))),
        "65536 are taken",
    ),
    "deep nesting": (
        _inside("".join(f".subckt B{k} 1\n" for k in range(20)) + ".ends\n" * 20),
        "8 deep",
    ),
    "open braces": (_inside("R2 1 2 {1"), "braces"),
    "continuation first": ("+ R1 1 2 3\n", "goes on from nothing"),
    "LTspice encrypted": ("* LTspice Encrypted File\n*\n* 0a 1b 2c\n", "encrypted for LTspice"),
    "PSpice encrypted": ("$CDNENCSTART\n0a1b2c\n$CDNENCFINISH\n", "encrypted for PSpice"),
    "HSPICE protected": (_inside(".prot\nxx\n.unprot"), "encrypted for HSPICE"),
    "laplace": (_inside("E1 1 2 LAPLACE {V(3,4)} = {1/(1+s)}"), "PSpice's LAPLACE"),
    "freq": (_inside("E1 1 2 FREQ {V(3,4)} = (0,0,0)"), "PSpice's FREQ"),
    "digital": (_inside("U1 AND(2) $G_DPWR $G_DGND 1 2 3"), "a model's card"),
    "no model at all": ("MZ\x90\0\3", "control character"),
    "prose": ("Thank you for downloading!\n", "is not taken"),
    "empty": ("", "no subcircuit at all"),
}

#: The paper's memristor as somebody's subcircuit: with x as a pin.
MEMRISTOR = """\
.SUBCKT MEM PLUS MINUS XSV PARAMS: RON=500 ROFF=1500 VON=0.27 VOFF=0.27 TAU=0.1m
GM PLUS MINUS VALUE={V(PLUS,MINUS)*(V(XSV)/RON+(1-V(XSV))/ROFF)}
GX 0 XSV VALUE={TAU/2*((1-V(XSV))*(1+TANH((V(PLUS,MINUS)-VON)/W))/TAU
+ -V(XSV)*(1+TANH((V(MINUS,PLUS)-VOFF)/W))/TAU)}
CX XSV 0 {TAU}
RX XSV 0 1T
.PARAM W=0.05144547957500672
.ENDS
"""
