"""Entries as text, after Beancount: what a story posted, as an accountant would read it.

    assert journal() == '''
        operator:acme:prepaid   -0.010000 EUR
        creator:ada:pending      0.010000 EUR
    '''

Legs stand in the order they were posted, entries apart by an empty line. Each call prints what
was posted since the last. Owners go by handle, spaces do not count.
"""

from typing import Any

from ledger.models import Account, Entry
from ledger.money import Money
from ledger.vocabulary import AccountKind


class Text(str):
    """Text that equals any other with the same words on the same lines."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and _lines(self) == _lines(other)

    def __ne__(self, other: object) -> bool:
        return not self == other


class Journal:
    """Prints entries, each once."""

    def __init__(self) -> None:
        self._printed = 0

    def __call__(self) -> Text:
        entries = list(Entry.objects.filter(id__gt=self._printed).order_by("id"))
        self._printed = entries[-1].pk if entries else self._printed
        names = _names({account for entry in entries for account in entry.accounts})
        return Text("\n\n".join(_paragraph(entry, names) for entry in entries))


def _paragraph(entry: Entry, names: dict[int, str]) -> str:
    legs = zip(entry.accounts, entry.amounts, strict=True)
    return "\n".join(
        f"{names[account]:<40}{Money(amount, entry.currency)!s:>22}" for account, amount in legs
    )


def _names(ids: set[int]) -> dict[int, str]:
    accounts = Account.objects.filter(pk__in=ids).select_related("creator", "operator")
    return {account.pk: _name(account) for account in accounts}


def _name(account: Account) -> str:
    kind = AccountKind(account.kind)
    owner: Any = account.creator or account.operator
    return ":".join([kind.holder, *([owner.handle] if owner else []), kind.word])


def _lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.strip().splitlines()]
