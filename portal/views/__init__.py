"""The pages, a module for each noun: parse, make one call, print."""
