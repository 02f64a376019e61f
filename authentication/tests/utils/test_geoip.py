"""The file of places: missing, broken, and replaced while it is in use."""

import contextlib
import datetime as dt
import os
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
from time_machine import TimeMachineFixture

from authentication.tests.places import BERLIN, LONDON, write_places
from authentication.utils import geoip
from authentication.utils.geoip import PlacesFile, built_at


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_places(tmp_path / "places.mmdb")


def city_of(file: PlacesFile, address: str = BERLIN) -> str | None:
    found: Any = file.look_up(address)
    return found["city"]["names"]["en"] if found else None


def replace(path: Path, content: bytes) -> None:
    """Replace a file as publishers' tools do, by a rename."""
    new = path.with_suffix(".new")
    new.write_bytes(content)
    new.rename(path)


def pause(file: PlacesFile) -> None:
    """Let the time pass after which a file that could not be opened is tried again."""
    file._retry_at = 0.0


def held_open(path: Path) -> list[str]:
    """Return the descriptors of files that are or were at a path; none where /proc is missing."""
    folder, found = Path("/proc/self/fd"), []
    for descriptor in folder.iterdir() if folder.exists() else ():
        with contextlib.suppress(OSError):
            found.append(str(descriptor.readlink()))
    return [it for it in found if it.startswith(str(path))]


@pytest.mark.parametrize("content", [None, b"", b"\0" * 4096, b"<html>404</html>"])
def test_without_a_readable_file_nothing_is_known(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "places.mmdb"
    if content is not None:
        path.write_bytes(content)

    assert city_of(PlacesFile(path)) is None


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert city_of(PlacesFile(tmp_path)) is None


def test_a_file_that_comes_later_is_read(tmp_path: Path) -> None:
    file = PlacesFile(tmp_path / "places.mmdb")
    assert city_of(file) is None

    write_places(tmp_path / "places.mmdb")

    assert city_of(file) == "Berlin"


def test_a_new_file_is_read_at_the_next_look_up(path: Path) -> None:
    file = PlacesFile(path)
    assert city_of(file) == "Berlin"

    replace(path, path.read_bytes().replace(b"Berlin", b"Bergen"))

    assert city_of(file) == "Bergen"


def test_a_link_to_a_new_file_is_followed(path: Path) -> None:
    link, other = path.with_name("current"), path.with_name("other")
    link.symlink_to(path)
    file = PlacesFile(link)
    assert city_of(file) == "Berlin"

    other.write_bytes(path.read_bytes().replace(b"Berlin", b"Bergen"))
    link.unlink()
    link.symlink_to(other)

    assert city_of(file) == "Bergen"


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_while_the_new_file_is_broken_the_one_before_serves(path: Path, share: float) -> None:
    whole, file = path.read_bytes(), PlacesFile(path)
    assert city_of(file) == "Berlin"

    replace(path, whole[: int(len(whole) * share)])
    assert city_of(file) == "Berlin"

    replace(path, whole.replace(b"Berlin", b"Bergen"))
    pause(file)
    assert city_of(file) == "Bergen"


def test_while_there_is_no_file_the_one_before_serves(path: Path) -> None:
    file = PlacesFile(path)
    assert city_of(file) == "Berlin"

    path.unlink()

    assert city_of(file) == "Berlin"


def test_a_file_that_is_written_over_is_not_read_until_it_is_whole(path: Path) -> None:
    whole, file = path.read_bytes() + b"\0" * 100_000, PlacesFile(path)
    path.write_bytes(whole)
    assert city_of(file) == "Berlin"

    # The pages that are mapped are gone: reading one would end the process.
    os.truncate(path, 0)
    assert city_of(file) is None
    path.write_bytes(whole[:100])
    assert city_of(file) is None
    path.write_bytes(whole.replace(b"Berlin", b"Bergen"))
    pause(file)
    assert city_of(file) == "Bergen"


def test_a_broken_file_is_tried_once_and_named_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, told = tmp_path / "places.mmdb", []
    path.write_bytes(b"broken")
    monkeypatch.setattr(geoip.logger, "warning", lambda event, **_: told.append(event))
    file = PlacesFile(path)

    for _ in range(3):
        pause(file)
        assert city_of(file) is None

    assert told == ["places_file_unreadable"]


def test_a_file_that_grows_is_not_tried_at_each_look_up(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, growing = path.read_bytes(), tmp_path / "growing.mmdb"
    tries: list[Path] = []

    def refuse(path: Path) -> Any:
        tries.append(path)
        raise OSError

    monkeypatch.setattr(geoip, "_open", refuse)
    file = PlacesFile(growing)
    for size in range(10, 200, 10):
        growing.write_bytes(whole[:size])
        assert city_of(file) is None

    assert len(tries) == 1


def test_threads_read_while_files_are_replaced(path: Path) -> None:
    whole, file = path.read_bytes(), PlacesFile(path)
    found: set[str | None] = set()
    faults: list[BaseException] = []
    is_over = threading.Event()

    def read() -> None:
        try:
            while not is_over.is_set():
                found.add(city_of(file))
                assert city_of(file, LONDON) == "London"
        except BaseException as error:  # noqa: BLE001 -- shown by the test
            faults.append(error)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(60):
        replace(path, whole if number % 2 else whole.replace(b"Berlin", b"Bergen"))
    is_over.set()
    for thread in threads:
        thread.join()

    assert not faults
    assert found <= {"Berlin", "Bergen"}
    # Of all these files one is still open.
    assert len(held_open(path)) <= 1


def test_the_age_of_a_file_is_known(path: Path, time_machine: TimeMachineFixture) -> None:
    now = dt.datetime.now(dt.UTC)

    assert now - built_at(path) < dt.timedelta(minutes=1)
    shutil.copy(path, path.with_name("copy"))
    assert built_at(path.with_name("copy")) == built_at(path)
