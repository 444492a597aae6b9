"""Reports: a result as one HTML file that can be sent, kept, read offline and printed."""

from __future__ import annotations

from spicealif.report.write import report_html, write_report

__all__ = ["report_html", "write_report"]
