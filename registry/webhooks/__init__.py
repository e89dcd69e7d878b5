"""Webhooks: tell operators and creators of events at addresses of theirs.

As the Standard Webhooks specification says (https://www.standardwebhooks.com). ``endpoints`` are
the addresses and their secrets, ``events`` what is told to whom, ``sending`` the queue, and
``signing`` the signature. The queue is rows; a lost or doubled ring of the bell changes nothing.
"""
