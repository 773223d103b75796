"""The entry point of a worker process, which its parent starts."""

from server.process import importing, return_freed_memory

return_freed_memory()
with importing():
    from server import worker

worker.main()
