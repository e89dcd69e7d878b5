"""What the demo remembers between runs, outside the database: log-ins, factors, a key."""

import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self


@dataclass(slots=True)
class Keyring:
    """Secrets of the demo's own people, in a file only its owner can read."""

    path: Path
    password: str
    operator_key: str | None = None
    factors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def open(cls, home: Path) -> Self:
        """Read the keyring of this home, or begin one with a fresh password."""
        path = home / "demo.json"
        if path.exists():
            return cls(path, **json.loads(path.read_text()))
        keyring = cls(path, f"{secrets.token_hex(2)}-{secrets.token_hex(2)}-{secrets.token_hex(2)}")
        keyring.save()
        return keyring

    def save(self) -> None:
        """Replace the file in one step."""
        kept = {name: value for name, value in asdict(self).items() if name != "path"}
        fresh = self.path.with_suffix(".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(kept, file)
        fresh.replace(self.path)
