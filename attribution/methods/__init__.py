"""The methods: evidence in, whole-number weights over works and an unattributed remainder out.

Every module here is pure: no database, no clock, no chance. A method has a NAME and a VERSION,
which are recorded with each query it weighed; a change to what it computes is a new VERSION.
"""
