"""Settings of the server that the scenarios share."""

SECRET_KEY = "a secret key for the soak tests only"

# The default is 10 seconds, within which a server should be back. The scenarios that interrupt
# the server test what it has stored, and not how fast this machine restarts it.
LONG_REFRESH_GRACE = {"REFRESH_GRACE_SECONDS": "60"}

# REQUEST_DEADLINE_SECONDS, and one second more for a machine that runs clients and server.
SLOWEST_RESPONSE_SECONDS = 11.0
