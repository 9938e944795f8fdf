import os
import re
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

import crouter
from crouter.embedded import Cluster, PostgresBinaries
from crouter.embedded.server import dsn

ROOT = Path(str(crouter.__file__)).parents[1]
NAMES = ["crouter", 'a"b', "ü/?#&%:@, x", "select"]

AT_EXIT = """
import sys
from pathlib import Path
from crouter.embedded import Cluster, PostgresBinaries
Cluster(Path(sys.argv[1]), PostgresBinaries.embedded(), durable=False).start()
"""


@pytest.mark.parametrize("name", NAMES)
def test_an_address_is_read_back_as_it_was_meant(name: str) -> None:
    read = conninfo_to_dict(dsn(Path("/a folder/100%/ü?&#"), name))
    assert read == {"user": "postgres", "host": "/a folder/100%/ü?&#", "port": "5432", "dbname": name}


def test_a_database_is_made_once_and_keeps_its_data(shared_data_dir: Path, embedded: PostgresBinaries) -> None:
    with Cluster(shared_data_dir, embedded, durable=False).start() as server:
        for name in NAMES:
            with psycopg.connect(server.ensure_database(name)) as connection:
                connection.execute("create table kept (word text)")
            with psycopg.connect(server.ensure_database(name)) as connection:
                connection.execute("select word from kept")
                assert connection.info.dbname == name


def test_the_normal_end_of_the_process_stops_the_server_and_clears_up(
    open_folder: Path, embedded: PostgresBinaries
) -> None:
    data_dir, temporary = open_folder / "with,comma", open_folder / "t"
    temporary.mkdir()
    subprocess.run(
        [sys.executable, "-c", AT_EXIT, str(data_dir)],
        env={**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        check=True,
        timeout=30,
    )
    assert list(temporary.iterdir()) == []
    state = subprocess.run(
        [embedded.path("pg_controldata"), data_dir], env={"LC_ALL": "C"}, capture_output=True, text=True, check=True
    )
    assert re.search(r"^Database cluster state: +shut down$", state.stdout, re.MULTILINE)
