"""The entry point of a worker process, which its parent starts."""

from server.process import importing, keep_freed_memory

keep_freed_memory()
with importing():
    from server import worker

worker.main()
