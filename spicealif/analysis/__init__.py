"""What a difference between the sides is worth, and where it comes from.

Certificates (how large is the numerical error), verification against the circuit's own equations,
and gap budgets (which part causes what), over the parts' tolerances too.
"""

__all__: list[str] = []
