"""What an operator of the service can ask attribution on the command line."""
