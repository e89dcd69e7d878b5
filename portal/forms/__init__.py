"""What people send: fields, hints, and the form of each value. What is allowed, the domain says."""
