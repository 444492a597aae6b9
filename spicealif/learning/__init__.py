"""Banks of neurons as a stage of machine learning, and what they are worth on real tasks."""

from spicealif.learning.bank import AlifBank
from spicealif.learning.control import without_adaptation
from spicealif.learning.runs import BankRuns

__all__ = ["AlifBank", "BankRuns", "without_adaptation"]
