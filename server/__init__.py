"""The apps wired into one service, and what it needs to run on one machine.

Settings, addresses, timetable, the private PostgreSQL and broker, the demo. No
other package imports this one.
"""
