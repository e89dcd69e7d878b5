"""datatrove: a filter block for its pipelines.

    pipeline = [JsonlReader("in/"), ConsentFilter(gate), JsonlWriter("out/")]

Tested with datatrove 0.10.
"""

import pyarrow as pa
from datatrove.data import Document
from datatrove.pipeline.filters.base_filter import BaseFilter
from datatrove.pipeline.writers.disk_base import DiskWriter

from tribute.adapters.gate import WORDS, Gate

ROWS_AT_ONCE = 1_000


class ConsentFilter(BaseFilter):
    """Keep the documents that may be used; the gate's columns are keys of their metadata.

    Dropped documents carry the decision as ``filter_reason`` into the exclusion writer, and are
    counted by it: ``dropped_tribute_deny``, ``dropped_tribute_license``,
    ``dropped_tribute_unknown``. With ``unknown="flag"`` kept documents that nobody has spoken
    about get ``metadata["tribute_unknown"] = True``.
    """

    name = "🪶 Tribute"

    def __init__(
        self,
        gate: Gate,
        exclusion_writer: DiskWriter | None = None,
        batch_size: int = ROWS_AT_ONCE,
    ) -> None:
        """Take a gate, a writer for what is dropped, and how many documents to ask at once."""
        super().__init__(exclusion_writer, batch_size)
        self.gate = gate

    def filter(self, doc: Document) -> bool | tuple[bool, str]:
        """Judge one document."""
        return self.filter_batch([doc])[0]

    def filter_batch(self, batch: list[Document]) -> list[bool | tuple[bool, str]]:
        """Judge some documents. A document without an address is unknown."""
        rows = {
            name: pa.array([_text(doc.metadata.get(name)) for doc in batch], pa.string())
            for name in self.gate.columns
        }
        decisions = self.gate.decide(pa.table(rows))
        kept = self.gate.keeps(decisions)
        answers: list[bool | tuple[bool, str]] = []
        for place, doc in enumerate(batch):
            if kept[place]:
                if self.gate.unknown == "flag" and decisions.unknown[place]:
                    doc.metadata["tribute_unknown"] = True
                answers.append(True)
            else:
                answers.append((False, f"tribute_{WORDS[int(_worst(decisions.codes[place]))]}"))
        return answers


def _worst(codes: "list[int]") -> int:
    """Return the code that names the refusal: the most restrictive, else unknown."""
    highest = max(int(code) for code in codes)
    return highest if highest > 1 else 0


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
