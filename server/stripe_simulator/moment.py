"""One instant in which something happens, handed to everything that makes it happen."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from server.stripe_simulator.parameters import Parameters
from server.stripe_simulator.settings import Settings
from server.stripe_simulator.state import PLATFORM, State


@dataclass(frozen=True, slots=True)
class Moment:
    """The memory, the settings, the time, and the request that caused it, if one did.

    now: Unix seconds.
    """

    state: State
    settings: Settings
    now: float
    request_id: str | None = None
    idempotency_key: str | None = None

    @property
    def second(self) -> int:
        """The time as v1 writes it."""
        return int(self.now)

    @property
    def written(self) -> str:
        """The time as v2 writes it."""
        return written(self.now)


def written(seconds: float) -> str:
    """RFC 3339 in UTC with milliseconds, as v2 writes times."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


@dataclass(frozen=True, slots=True)
class Call:
    """One request to an endpoint.

    account: the connected account of the Stripe-Account header, or PLATFORM.
    origin: ``http://host:port`` under which the caller reaches the simulation.
    """

    moment: Moment
    params: Parameters = field(default_factory=dict)
    account: str = PLATFORM
    origin: str = ""

    @property
    def state(self) -> State:
        """The memory."""
        return self.moment.state
