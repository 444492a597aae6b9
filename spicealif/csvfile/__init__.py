"""Tables of numbers in text files: what instruments and programs write as CSV.

One reader for measured loops and for stimuli. It knows nothing of memristors: who uses it says
which quantities are looked for (`Quantity`) and how a remedy names a column.
"""

from spicealif.csvfile.columns import counts, match_columns
from spicealif.csvfile.decoding import read_table_file
from spicealif.csvfile.headings import GENERIC, key_of, names
from spicealif.csvfile.match import Match, Quantity, listed
from spicealif.csvfile.table import Table, read_table
from spicealif.csvfile.times import check_times
from spicealif.csvfile.values import Values, read_values

__all__ = [
    "GENERIC",
    "Match",
    "Quantity",
    "Table",
    "Values",
    "check_times",
    "counts",
    "key_of",
    "listed",
    "match_columns",
    "names",
    "read_table",
    "read_table_file",
    "read_values",
]
