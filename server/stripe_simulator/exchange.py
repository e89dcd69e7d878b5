"""What passes between the listener and the simulation: requests in, replies out."""

from typing import NamedTuple

from server.stripe_simulator.parameters import Parameters
from server.stripe_simulator.state import Body


class Request(NamedTuple):
    """What the listener read. Headers have lower-case names.

    origin: ``http://host:port`` under which the caller reaches the simulation.
    """

    method: str
    path: str
    params: Parameters
    headers: dict[str, str]
    origin: str


class Reply(NamedTuple):
    """What the listener writes; ``lost`` says to close the connection instead."""

    status: int
    body: Body
    request_id: str
    replayed: bool = False
    lost: bool = False


class Exchange(NamedTuple):
    """One request to the API and its answer, for those who look on."""

    route: str
    params: Parameters
    status: int
    body: Body
