"""What `gatehouse check` says of the storage of pictures."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cli.check.findings import Finding, Level
from cli.check.pictures import pictures
from settings import Settings
from tests.conftest import settings_for
from tests.fault_server import Response, hang, serving
from tests.pictures import names_in
from tests.s3_server import BUCKET, KEYS, S3Server


def settings_of(folder: Path, **others: object) -> Settings:
    return settings_for(f"sqlite:///{folder / 'g.db'}", **others)


@pytest.fixture
async def s3() -> AsyncIterator[S3Server]:
    async with serving(S3Server()) as server:
        yield server


def test_a_folder_is_made_by_the_first_picture_and_not_by_the_check(tmp_path: Path) -> None:
    [finding] = pictures(settings_of(tmp_path, pictures=str(tmp_path / "pictures")))

    assert finding.level is Level.OK
    assert finding.message == f"{tmp_path / 'pictures'}, which will be made"
    assert names_in(tmp_path) == []


def test_pictures_may_be_off(tmp_path: Path) -> None:
    [finding] = pictures(settings_of(tmp_path, pictures="off"))

    assert (finding.level, finding.message) == (Level.OK, "off: users cannot upload a picture")


def test_a_folder_that_others_can_change_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures").chmod(0o777)
    [finding] = pictures(settings_of(tmp_path, pictures=str(tmp_path / "pictures")))

    assert finding.level is Level.PROBLEM
    assert "chmod o-w" in finding.message


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    [finding] = pictures(settings_of(tmp_path, pictures=str(tmp_path / "file/pictures")))

    assert finding.level is Level.PROBLEM
    assert "is not a folder" in finding.message


def test_machines_with_one_database_share_a_folder(tmp_path: Path) -> None:
    settings = settings_for("postgresql://u:p@127.0.0.1:1/db", pictures=str(tmp_path))
    [finding] = pictures(settings)

    assert finding.message.endswith("; all machines must share it")


async def found(endpoint: str, tmp_path: Path) -> list[Finding]:
    """Check a bucket, on a thread, because a check has an event loop of its own."""
    settings = settings_of(
        tmp_path, pictures=f"s3://{BUCKET}/prefix", pictures_endpoint=endpoint, **KEYS
    )
    return await asyncio.to_thread(lambda: list(pictures(settings)))


async def test_of_a_bucket_only_the_list_is_read(s3: S3Server, tmp_path: Path) -> None:
    s3.objects["prefix/" + "f" * 32 + "-64.webp"] = b"x"
    [finding] = await found(s3.url, tmp_path)

    assert finding.level is Level.OK
    assert {request.method for request in s3.requests} == {"GET"}
    assert {request.path for request in s3.requests} == {f"/{BUCKET}"}


@pytest.mark.parametrize("fault", ["hangs", "refuses"])
async def test_a_bucket_that_cannot_be_read_is_a_problem(
    s3: S3Server, tmp_path: Path, fault: str
) -> None:
    s3.fault = hang if fault == "hangs" else Response(403, b"<Error>AKIDOFTESTS</Error>")
    [finding] = await found(s3.url, tmp_path)

    assert finding.level is Level.PROBLEM
    assert "cannot be read" in finding.message
    assert "AKIDOFTESTS" not in finding.message
    assert fault == "hangs" or "403" in finding.message
