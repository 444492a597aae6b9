"""Logs of LTspice: messages, measurements, steps, of every version and encoding."""

from spicealif.ltspice_log.log import LtspiceLog, read_ltspice_log

__all__ = ["LtspiceLog", "read_ltspice_log"]
