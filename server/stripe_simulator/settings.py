"""What a simulation is told at its start. Reads no environment."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """Addresses, secrets, prices and waiting times of one simulation.

    webhook_url: where events go; "" sends none. platform_secret signs the platform's own
    events, connect_secret those of connected accounts and thin events. Times in seconds:
    settle_delay_s until a charge becomes available, payout_delay_s between the steps of
    a bank payout, retry_base_s before the second delivery of a webhook (doubled each
    time). Fees are made up: fee_ppm of the amount, rounded up, plus fee_fixed_minor.
    """

    webhook_url: str = ""
    platform_secret: str = ""
    connect_secret: str = ""
    settle_delay_s: float = 0.0
    payout_delay_s: float = 2.0
    retry_base_s: float = 0.5
    link_lifetime_s: float = 300.0
    fee_ppm: int = 15_000
    fee_fixed_minor: int = 25
