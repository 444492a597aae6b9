"""What LTspice says of a circuit before it solves it: nodes that nothing holds."""

from _standin_deck import nodes_of

# Which of a device's nodes a direct current can pass between; None: all of them. Currents of
# sources are given, so they hold nothing; capacitors pass none.
PATHS = {
    "r": (0, 1),
    "l": (0, 1),
    "v": (0, 1),
    "e": (0, 1),
    "h": (0, 1),
    "d": (0, 1),
    "s": (0, 1),
    "w": (0, 1),
    "m": (0, 2, 3),
    "j": (0, 2),
    "q": None,
    "t": None,
    "o": None,
}


def flat(deck):
    """Return every device, subcircuits opened: letter, name, nodes, card; LTspice's x1:n names."""
    scopes, here = {"": ((), [])}, ""
    for _, card in deck.cards:
        fields = card.lower().split()
        if fields[0] == ".subckt":
            here = fields[1]
            ports = [f for f in fields[2:] if "=" not in f and f != "params:"]
            scopes[here] = (ports, [])
        elif fields[0] == ".ends":
            here = ""
        elif fields[0][0] != ".":
            scopes[here][1].append(fields)

    def opened(scope, prefix, outer):
        for fields in scopes[scope][1]:
            nodes = [
                node if node == "0" else outer.get(node, f"{prefix}{node}")
                for node in ("0" if n == "gnd" else n for n in nodes_of(fields))
            ]
            kind = [f for f in fields[1:] if "=" not in f and f != "params:"][-1]
            if fields[0][0] != "x":
                yield fields[0][0], f"{prefix}{fields[0]}", nodes, " ".join(fields)
            elif kind in scopes:
                inner = dict(zip(scopes[kind][0], nodes, strict=False))
                yield from opened(kind, f"{prefix}{fields[0]}:", inner)

    return list(opened("", "", {}))


def floating(deck):
    """Return one node of each island without a path to ground, and a current source on it.

    Real (26): a warning, or an error where a current source has nowhere to go; the run goes on.
    """
    above = {"0": "0"}

    def top(node):
        while above.setdefault(node, node) != node:
            node = above[node]
        return node

    on = {}
    for letter, name, nodes, card in flat(deck):
        for node in nodes:
            top(node)
            if letter == "i":
                on.setdefault(node, name)
        which = PATHS.get(letter, ())
        if letter == "b" and " i=" not in card:
            which = (0, 1)
        joined = nodes if which is None else [nodes[k] for k in which if k < len(nodes)]
        for node in joined[1:]:
            above[top(node)] = top(joined[0])
    islands = {}
    for node in above:
        if top(node) != top("0"):
            islands.setdefault(top(node), []).append(node)
    return [
        (nodes[0], next((on[node] for node in nodes if node in on), None))
        for nodes in islands.values()
    ]
