"""Data sets: those that come with other packages, and the user's own."""

from spicealif.learning.datasets.dataset import Dataset
from spicealif.learning.datasets.find import dataset_names, load_dataset

__all__ = ["Dataset", "dataset_names", "load_dataset"]
