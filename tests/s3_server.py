"""A stand-in for S3 that keeps objects in memory. `clients/test_s3.py` tests with a real one."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from xml.sax.saxutils import escape

from tests.fault_server import Fault, FaultServer, Request, Response

BUCKET = "pictures-of-tests"
KEYS = {
    "pictures_access_key_id": "AKIDOFTESTS",
    "pictures_secret_access_key": "a secret that no log may have",
}


@dataclass
class S3Server(FaultServer):
    """PUT, GET and DELETE of an object, the deletion of several, and the list of a bucket. With a
    ``fault``, every request ends in it."""

    objects: dict[str, bytes] = field(default_factory=dict)
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    ages: dict[str, timedelta] = field(default_factory=dict)
    fault: Response | Fault | None = None

    def answer(self, request: Request) -> Response | Fault:
        if self.fault is not None:
            return self.fault
        _, bucket, *rest = request.path.split("/", 2)
        key = rest[0] if rest else ""
        if bucket != BUCKET:
            return _xml("<Error><Code>NoSuchBucket</Code></Error>", 404)
        if request.method == "PUT":
            self.objects[key], self.headers[key] = request.body, request.headers
            return Response(200, headers={"ETag": '"tag"'})
        if request.method == "POST":
            return self._delete(request.body.decode())
        if not key:
            return self._list(request.query.get("prefix", ""))
        if key not in self.objects:
            return _xml("<Error><Code>NoSuchKey</Code></Error>", 404)
        if request.method == "DELETE":
            del self.objects[key]
            return Response(204)
        return Response(200, self.objects[key], {**self._meta(key), "Content-Type": "image/webp"})

    def _delete(self, body: str) -> Response:
        keys = re.findall("<Key>([^<]+)</Key>", body)
        for key in keys:
            self.objects.pop(key, None)
        deleted = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys)
        return _xml(f"<DeleteResult>{deleted}</DeleteResult>")

    def _list(self, prefix: str) -> Response:
        contents = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{len(content)}</Size><ETag>&quot;tag&quot;</ETag>"
            f"<LastModified>{self._changed(key):%Y-%m-%dT%H:%M:%S.000Z}</LastModified></Contents>"
            for key, content in sorted(self.objects.items())
            if key.startswith(prefix)
        )
        return _xml(
            f"<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>"
        )

    def _meta(self, key: str) -> dict[str, str]:
        changed = self._changed(key)
        return {"ETag": '"tag"', "Last-Modified": f"{changed:%a, %d %b %Y %H:%M:%S GMT}"}

    def _changed(self, key: str) -> datetime:
        return datetime.now(UTC) - self.ages.get(key, timedelta(0))


def _xml(text: str, status: int = 200) -> Response:
    return Response(status, text.encode(), {"Content-Type": "application/xml"})
