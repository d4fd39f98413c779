"""What a receipt costs: gas beside contracts, bytes on L1, time, and a month's money."""

from bench.attribution.report import run_attribution

__all__ = ["run_attribution"]
