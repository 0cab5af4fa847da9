"""What an agent needs to know before its first call.

Sent by the MCP server, printed in the README beside this, and told once more by the skill of the plugins.
"""

from __future__ import annotations

PURPOSE = """\
trop gives every directory on this machine a port of its own, and always the same one, so that several worktrees and
agents do not fight over port 3000. It binds nothing; it is the place where everybody looks first.
"""

RULES = """\
- **Reserve before you start anything that listens**: `trop_reserve`, or `trop reserve` in a shell, and pass the port
  on to the program. Do not pick a port by hand, not even one that looks free: the next agent would pick the same one,
  and a server that is stopped for a moment would lose its port.
- Say which directory you mean: `folder` is the root of the worktree that you work in. One directory that needs several
  ports takes a `tag` for each, such as `web` and `api`. Where the project's `trop.yaml` describes its services under
  `reservations`, `trop_autoreserve` gives all of their ports at once.
- `trop_status`, or `trop status` in a shell, shows what a directory has, who is on its ports, which services have no
  port yet, and what is odd. It changes nothing.
- The same directory and tag give the same port, so ask again instead of remembering. `occupied` says whether something
  listens on it already, and `occupant` who (`trop_reserve` says it; in a shell `trop port-info` with
  `--include-occupancy`). The `relation` `own` means a program of this directory, most often your server, which runs.
- If somebody else's program listens on your port, tell the person, and ask for another port with `overwrite` if the
  work cannot wait; for a service of `trop.yaml`, which keeps its port, release its tag and reserve it again.
- Never stop a process that you did not start, whatever port it listens on: tell the person who it is, which
  `trop_port_info` says.
- Leave project and task away: they are inferred from git. There is no need to release when a server stops.
- Call what takes something away, such as `trop_migrate` and `trop_release`, with `dryRun` first, and read what would
  happen. The call with the token of its `plan` does exactly that, or nothing. `trop_undo` takes back what was wrong.
"""

ERRORS = """\
Every error has a `kind`, a `message`, a `hint` that says what to do next, `details`, and `retryable`:

- `lock_timeout`: another process was writing. Nothing has changed; try again. No other kind is worth a second try as
  it is.
- `invalid_argument`, `invalid_path`, `invalid_identifier`: correct the field that the message names.
- `ambiguous_folder`: several folders are open. Name one of `details.folders` as `folder`.
- `unrelated_path`: the directory is neither above nor below the open one. If it is what you mean, add
  `allowUnrelatedPath`.
- `sticky_field`: the reservation has another project or task. Leave the field away; change it only if that is the task.
- `not_found`: nothing is reserved there. `trop_list` shows what is.
- `reservation_conflict`: somebody's reservations are in the way; `details.conflicts` lists them. Ask the person before
  you use `force`.
- `port_exhausted`: widen the range with `min` and `max`, or release what is yours and no longer needed.
- `port_occupied`: `details.holder` listens on that port. If it is not yours, leave it running and tell the person.
- `plan_changed`, `plan_expired`, `plan_used`: nothing was done. Make another dry run, and read it.
- `undo_conflict`: `details.conflicts` keep an operation from being taken back as a whole. Tell the person.
- `no_data_directory`: there is no store yet, and creating one by the way is disabled: `trop init` in a shell creates
  it. Or there is no home to have it in: tell the person what the hint says.
- `config_error`: the file or variable that the message names is wrong. Correct it if it belongs to your task.
- `assertion_failed`: something is not as the call asserted. `cancelled`: the call was taken back; nothing has changed.
- `io_error`, `permission_denied`, `database_corrupt`, `migration_blocked`, `migration_failed`,
  `unsupported_schema_version`, `internal`: calling again does not help, and nothing was lost. Tell the person, with the
  message and the hint, rather than pick a port by hand.
"""

INSTRUCTIONS = f"{PURPOSE}\n{RULES}\n{ERRORS}"
