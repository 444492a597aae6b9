"""Many runs of one neuron with other currents and parameters, given as arrays."""

from spicealif.bank.solve import Bank, BankSide, solve_bank

__all__ = ["Bank", "BankSide", "solve_bank"]
