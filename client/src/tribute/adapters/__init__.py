"""Tribute inside other people's pipelines: one gate, and what each library needs to pass by it.

`gate` works on Arrow batches and knows no library but pyarrow; each other module fits it to the
library it is named for, which it alone imports. All ask the synchronised snapshot, on the machine
where the data is, and all are fail-closed: a stale or damaged snapshot raises, and a row that
nobody has spoken about is left out unless the caller says otherwise.
"""
