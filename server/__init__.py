"""How the application is served: the socket, the HTTP protocol, workers, signals and shutdown."""
