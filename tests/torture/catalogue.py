"""All scenarios, in the order in which they are played."""

from tests.torture.scenario import HAPROXY, NGINX, ROOT, Scenario
from tests.torture.scenarios.bombs import play_bombs
from tests.torture.scenarios.crowds import play_idle, play_slow_bodies, play_slow_headers, play_slow_readers
from tests.torture.scenarios.database_faults import (
    on_small_disk,
    play_both_killed,
    play_connections_cut,
    play_database_full,
    play_database_killed,
    play_database_locked,
    play_database_read_only,
    play_database_stopped,
)
from tests.torture.scenarios.disconnects import play_disconnects
from tests.torture.scenarios.journal_faults import (
    journal_on_small_disk,
    play_journal_full,
    play_journal_read_only,
    play_journal_unwritable,
)
from tests.torture.scenarios.kills import play_kills
from tests.torture.scenarios.smuggling import (
    play_smuggling,
    play_smuggling_behind_haproxy,
    play_smuggling_behind_nginx,
)
from tests.torture.scenarios.stopping import play_stopping
from tests.torture.scenarios.upstream_faults import (
    many_upstream_keys,
    play_breaking_off,
    play_compression,
    play_malformed_answers,
    play_redirects,
    play_splitting,
    play_statuses,
)
from tests.torture.scenarios.wrong_usage import play_wrong_usage

SCENARIOS = (
    Scenario("kills", play_kills),
    Scenario("disconnects", play_disconnects),
    Scenario("breaking-off", play_breaking_off, environ=many_upstream_keys),
    Scenario("splitting", play_splitting),
    Scenario("malformed-answers", play_malformed_answers, environ=many_upstream_keys),
    Scenario("redirects", play_redirects),
    Scenario("compression", play_compression),
    Scenario("statuses", play_statuses, environ=many_upstream_keys),
    Scenario("wrong-usage", play_wrong_usage),
    Scenario("stopping", play_stopping),
    Scenario("database-stopped", play_database_stopped),
    Scenario("database-killed", play_database_killed),
    Scenario("both-killed", play_both_killed),
    Scenario("database-locked", play_database_locked),
    Scenario("database-read-only", play_database_read_only),
    Scenario("connections-cut", play_connections_cut),
    Scenario("database-full", play_database_full, needs=(ROOT,), ground=on_small_disk),
    Scenario("journal-unwritable", play_journal_unwritable),
    Scenario("journal-full", play_journal_full, needs=(ROOT,), environ=journal_on_small_disk),
    Scenario("journal-read-only", play_journal_read_only, needs=(ROOT,), environ=journal_on_small_disk),
    Scenario("smuggling", play_smuggling),
    Scenario("smuggling-nginx", play_smuggling_behind_nginx, needs=(NGINX,)),
    Scenario("smuggling-haproxy", play_smuggling_behind_haproxy, needs=(HAPROXY,)),
    Scenario("slow-headers", play_slow_headers),
    Scenario("slow-bodies", play_slow_bodies),
    Scenario("slow-readers", play_slow_readers),
    Scenario("idle", play_idle),
    Scenario("bombs", play_bombs),
)
