"""How the addresses of those who left are kept: nothing to read, and the shape the index needs.

Offline copies look a URL up only where its host is known to lead somewhere, and the narrower of two
places decides. So of a masked address the key of its host stays (``tribute.snapshot.changes.MASKED`` and 64
hexadecimal digits in the host's place), and how many parts it had. The keys themselves lie beside it, as before.
"""

from pathlib import Path

from django.db import connection

from registry.models import Creator
from tribute import ids

_SQL = Path(__file__).parent / "sql"
MASK_IDENTIFIERS = (_SQL / "mask_identifiers.sql").read_text()
MASK_COLLECTIONS = (_SQL / "mask_collections.sql").read_text()


def mask_addresses(creator: Creator) -> None:
    """Mask the addresses of the creator's places, and of works that are nobody else's.

    Said again, nothing changes.
    """
    with connection.cursor() as cursor:
        for statement in (MASK_IDENTIFIERS, MASK_COLLECTIONS):
            cursor.execute(statement, {"creator": ids.decode("cre", creator.pk)})
