"""What an operator of the service runs by hand: the demo, the audit."""
