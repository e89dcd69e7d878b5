"""The ledger's endpoints, by who calls them."""
