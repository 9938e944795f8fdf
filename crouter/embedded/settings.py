"""The settings every embedded server runs with, as arguments of its command line.

The command line outranks postgresql.conf and ALTER SYSTEM, so what is stated here holds whatever
the data folder contains. Left out: settings of a role, a database or a session, which a superuser
can still change on purpose.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

PORT = 5432  # only part of the socket's file name: nothing listens on TCP

_PRIVATE_LOG = MappingProxyType(
    {
        "log_destination": "stderr",
        "logging_collector": "off",
        # An error's first line quotes what was sent ("syntax error at or near ...", "invalid input
        # syntax for type integer: ..."), and RAISE LOG says whatever a function puts in it. No
        # statement can cause a FATAL message with words of its own.
        "log_min_messages": "fatal",
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "log_statement": "none",
        "log_duration": "off",
        "log_min_duration_statement": "-1",
        "log_min_duration_sample": "-1",
        "log_transaction_sample_rate": "0",
        "log_parameter_max_length": "0",
        "log_parameter_max_length_on_error": "0",
        "log_parser_stats": "off",
        "log_planner_stats": "off",
        "log_executor_stats": "off",
        "log_statement_stats": "off",
        "debug_print_parse": "off",
        "debug_print_rewritten": "off",
        "debug_print_plan": "off",
        "log_connections": "off",
        "log_disconnections": "off",
        "log_hostname": "off",
        "log_replication_commands": "off",
        "log_lock_waits": "off",
        "log_temp_files": "-1",
        "log_line_prefix": "%m [%p] ",
        "log_timezone": "UTC",
        # The text of running statements is neither kept in shared memory nor quoted when a
        # backend crashes.
        "track_activities": "off",
        "track_activity_query_size": "100",
        # A library planted in postgresql.conf (auto_explain, pg_stat_statements) keeps statements.
        "shared_preload_libraries": "",
        "session_preload_libraries": "",
    }
)

_NOT_DURABLE = MappingProxyType({"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"})


def server_settings(socket_dir: Path, *, durable: bool) -> Mapping[str, str]:
    """All settings of a server with its socket in `socket_dir`, name to value."""
    quoted = str(socket_dir).replace('"', '""')
    return {
        "listen_addresses": "",
        "port": str(PORT),
        # Quoted, because this setting is a list separated by commas.
        "unix_socket_directories": f'"{quoted}"',
        "unix_socket_permissions": "0700",
        "timezone": "UTC",
        **_PRIVATE_LOG,
        **({} if durable else _NOT_DURABLE),
    }
