"""What a model learned from, over HTTP: declare it, and read what it shows."""
