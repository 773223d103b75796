"""The entry point of a worker process, which its parent starts."""

from server.process import importing

with importing():
    from server import worker

worker.main()
