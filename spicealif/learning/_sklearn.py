"""What banks need of scikit-learn, and what is said where it is missing."""

from __future__ import annotations

try:
    from sklearn.base import BaseEstimator, TransformerMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.validation import _check_feature_names_in as feature_names_in
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise ImportError(
        "Stages of machine learning need the package scikit-learn, which is not installed or too "
        "old; install it (pip install 'spicealif[learning]')."
    ) from error

__all__ = [
    "BaseEstimator",
    "TransformerMixin",
    "check_is_fitted",
    "check_random_state",
    "feature_names_in",
    "validate_data",
]
