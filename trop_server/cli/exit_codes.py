"""The exit code of each kind of error: the one place where kinds become codes."""

from __future__ import annotations

USAGE = 4

NOT_WELL = 6
"""What ``trop doctor`` ends with where it has found an error."""

EXIT_CODES = {
    "sticky_field": 1,
    "unrelated_path": 1,
    "assertion_failed": 1,
    "lock_timeout": 2,
    "no_data_directory": 3,
    "invalid_argument": USAGE,
    "invalid_path": USAGE,
    "invalid_identifier": USAGE,
    "ambiguous_folder": USAGE,
    "io_error": 5,
    "permission_denied": 5,
    "not_found": 6,
    "reservation_conflict": 6,
    "port_exhausted": 6,
    "port_occupied": 6,
    "plan_changed": 6,
    "plan_expired": 6,
    "plan_used": 6,
    "undo_conflict": 6,
    "database_corrupt": 6,
    "migration_blocked": 6,
    "migration_failed": 6,
    "unsupported_schema_version": 6,
    "internal": 6,
    "config_error": 7,
    "cancelled": 130,
}
