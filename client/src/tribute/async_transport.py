"""A registry for asyncio: the same questions as ``tribute.transport``, several at a time.

Each call runs `Registry` in one of a few threads, so that retries, limits and the reading of
answers are the very same and no further package is needed; the event loop never waits.
"""

import asyncio
from collections import deque
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Self, TypeVar

from tribute.connection import ROWS_A_PAGE
from tribute.manifest_uploads import Report, say_nothing
from tribute.transport import MAX_ITEMS, CheckResult, Registry
from tribute.vocabulary import Purpose

Item = Mapping[str, str]
Given = TypeVar("Given")


class AsyncRegistry:
    """`Registry`, awaited. Use it as ``async with AsyncRegistry(...) as registry``.

    at_once: how many calls may be under way together; more of them wait their turn. A call that is
    cancelled is no longer waited for; the registry may have heard it all the same.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        timeout: float = 30.0,
        *,
        allow_plain_http: bool = False,
        at_once: int = 4,
    ) -> None:
        if at_once < 1:
            raise ValueError(f"at least one call at once, not {at_once}")
        self._at_once = at_once
        self._registry = Registry(base_url, api_key, timeout, allow_plain_http=allow_plain_http)
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="tribute")

    async def __aenter__(self) -> Self:
        """Return the registry itself."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it."""
        await self.close()

    async def close(self) -> None:
        """Let the calls under way end, drop those that wait, and end the threads."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, lambda: self._threads.shutdown(cancel_futures=True))

    async def check(self, items: Sequence[Item], purposes: Iterable[Purpose]) -> CheckResult:
        """Ask about 1 to 10,000 items; see `Registry.check`."""
        asked = tuple(purposes)
        return await self._run(lambda: self._registry.check(items, asked))

    async def check_all(
        self,
        items: Iterable[Item] | AsyncIterable[Item],
        purposes: Iterable[Purpose],
        *,
        batch: int = MAX_ITEMS,
    ) -> AsyncIterator[CheckResult]:
        """Ask about any number of items, ``batch`` a call, several calls at once.

        Answers come in the order of the questions. No more than ``at_once`` batches are held, so
        that a stream of any length needs little memory. The first error ends it: nothing passes
        for answered that was not.
        """
        asked, waiting = tuple(purposes), deque[asyncio.Task[CheckResult]]()
        try:
            async for some in _in_batches(items, batch):
                waiting.append(asyncio.create_task(self.check(some, asked)))
                if len(waiting) == self._at_once:
                    yield await waiting.popleft()
            while waiting:
                yield await waiting.popleft()
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    async def receipt(self, check_id: str) -> dict[str, Any]:
        """Return the signed receipt of a check; ``tribute.receipts`` verifies it."""
        return await self._run(lambda: self._registry.receipt(check_id))

    async def lookup(
        self, *, url: str | None = None, sha256: str | None = None, iscc: str | None = None
    ) -> dict[str, Any]:
        """Ask in public whether something is registered, by exactly one identifier."""
        return await self._run(lambda: self._registry.lookup(url=url, sha256=sha256, iscc=iscc))

    async def upload_manifest(
        self,
        model_id: str,
        path: Path,
        *,
        progress: Report = say_nothing,
        notes: Path | None = None,
        wait: float | None = None,
    ) -> dict[str, Any]:
        """Declare what a model learned from; see `Registry.upload_manifest`.

        ``progress`` is called in the thread that sends, not in the event loop's.
        """
        upload = partial(self._registry.upload_manifest, model_id, path)
        return await self._run(lambda: upload(progress=progress, notes=notes, wait=wait))

    async def manifest_report(self, model_id: str) -> dict[str, Any]:
        """Return what the manifest in force shows; see `Registry.manifest_report`."""
        return await self._run(lambda: self._registry.manifest_report(model_id))

    def violations(self, model_id: str) -> AsyncIterator[dict[str, Any]]:
        """Yield every row that was not allowed; see `Registry.violations`."""
        return self._each(self._registry.violations(model_id))

    def revocations(self) -> AsyncIterator[dict[str, Any]]:
        """Yield the works that were used and are allowed no more, the latest notice first."""
        return self._each(self._registry.revocations())

    async def acknowledge_revocation(self, notice_id: str) -> dict[str, Any]:
        """Take note of a revocation (``rvk_…``); doing so again changes nothing."""
        return await self._run(lambda: self._registry.acknowledge_revocation(notice_id))

    async def report_queries(self, queries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Report 1 to 1,000 paid generations; reporting the same one again changes nothing."""
        return await self._run(lambda: self._registry.report_queries(queries))

    async def balance(self) -> dict[str, Any]:
        """Return what the operator has paid in advance and not yet used, by currency."""
        return await self._run(self._registry.balance)

    async def _each(self, rows: Iterator[dict[str, Any]]) -> AsyncIterator[dict[str, Any]]:
        """Yield what an iterator yields that waits for a page now and then."""
        while some := await self._run(lambda: list(islice(rows, ROWS_A_PAGE))):
            for row in some:
                yield row

    async def _run(self, call: Callable[[], Given]) -> Given:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)


async def _in_batches(
    items: Iterable[Item] | AsyncIterable[Item], size: int
) -> AsyncIterator[list[Item]]:
    some: list[Item] = []
    async for item in _as_stream(items):
        some.append(item)
        if len(some) == size:
            yield some
            some = []
    if some:
        yield some


async def _as_stream(items: Iterable[Item] | AsyncIterable[Item]) -> AsyncIterator[Item]:
    if isinstance(items, AsyncIterable):
        async for item in items:
            yield item
    else:
        for item in items:
            yield item
