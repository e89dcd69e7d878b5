"""The web pages of creators, operators and payout admins; no tables of its own."""
