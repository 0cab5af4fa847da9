---@meta
-- The server's commands, written from its catalogue by tests/editors/neovim/lua_types.py. Nothing loads this file.
-- luacheck: no max line length

--- A port that is kept for a directory, under a tag or none.
---@class trop.Reservation
---@field port integer
---@field path string
---@field tag? string
---@field project? string
---@field task? string
---@field createdAt string
---@field lastUsedAt string
---@field occupied? boolean
---@field holder? { pid: integer, name: string, command: string, user: string, workingDirectory: string, relation: "own"|"other"|"unknown", directory: string }
---@field missing? boolean

--- What `trop.reserve` takes.
---@class trop.ReserveArgument
---@field folder? string The directory to reserve for, as an editor knows it: links are followed. The open folder if left away.
---@field path? string The directory to reserve for, exactly as spelled: links are not followed.
---@field tag? string Which of several ports of one directory is meant, such as web or api.
---@field project? string The project to note. By default it is inferred from the git repository.
---@field task? string The task to note. By default it is inferred from the git worktree or branch.
---@field clearProject? boolean Note no project; needs the permission to change a stored one.
---@field clearTask? boolean Note no task; needs the permission to change a stored one.
---@field port? integer The port that is preferred, if it is free; it may lie outside of the range.
---@field min? integer The lowest port of the range to choose from.
---@field max? integer The highest port of the range to choose from.
---@field root? boolean Reserve for the root of the git worktree that the directory lies in.
---@field overwrite? boolean Choose a port anew where one is reserved already.
---@field ignoreOccupied? boolean Take the preferred port even if something listens on it.
---@field ignoreExclusions? boolean Take the preferred port even if it is excluded.
---@field force? boolean Everything at once: overwrite, ignore occupied and excluded, allow every change.
---@field allowUnrelatedPath? boolean Allow a directory that is neither above nor below this one.
---@field allowChangeProject? boolean Allow the stored project to change.
---@field allowChangeTask? boolean Allow the stored task to change.
---@field allowChange? boolean Allow the stored project and task to change.
---@field disableAutoprune? boolean When no port is left, keep reservations of missing directories.
---@field disableAutoexpire? boolean When no port is left, keep reservations that expired.
---@field skipOccupancyCheck? boolean Do not look whether something listens on a port.
---@field skipTcp? boolean Do not look at TCP.
---@field skipUdp? boolean Do not look at UDP.
---@field skipIpv4? boolean Do not look at IPv4.
---@field skipIpv6? boolean Do not look at IPv6.
---@field checkAllInterfaces? boolean Look at the wildcard addresses too, not just at loopback.
---@field dryRun? boolean Tell what would happen, and change nothing.

--- What `trop.reserve` gives.
---@class trop.ReserveResult
---@field reservation trop.Reservation The reservation as it is now, or would be after a real run.
---@field outcome "created"|"reused"|"updated"|"reallocated"|"moved" created: a new key; reused: it had this port; updated: project or task changed; reallocated: a new port; moved: the directory was elsewhere before, with this port.
---@field dryRun boolean Whether this only tells what would happen.
---@field warnings string[] What the caller should know, a sentence each.

--- What `trop.reserveGroup` takes.
---@class trop.ReserveGroupArgument
---@field config string The configuration file whose services are meant. Its folder is the directory to reserve for. A trop.yaml and a trop.local.yaml beside each other count together; a file of another name counts alone.
---@field task? string The task to note. By default it is inferred from the git worktree or branch.
---@field force? boolean Lay the group out anew as a whole, where the file would have stored ports elsewhere, and allow every change.
---@field allowUnrelatedPath? boolean Allow a directory that is neither above nor below this one.
---@field allowChangeProject? boolean Allow the stored project to change.
---@field allowChangeTask? boolean Allow the stored task to change.
---@field allowChange? boolean Allow the stored project and task to change.
---@field disableAutoprune? boolean When no port is left, keep reservations of missing directories.
---@field disableAutoexpire? boolean When no port is left, keep reservations that expired.
---@field skipOccupancyCheck? boolean Do not look whether something listens on a port.
---@field skipTcp? boolean Do not look at TCP.
---@field skipUdp? boolean Do not look at UDP.
---@field skipIpv4? boolean Do not look at IPv4.
---@field skipIpv6? boolean Do not look at IPv6.
---@field checkAllInterfaces? boolean Look at the wildcard addresses too, not just at loopback.
---@field dryRun? boolean Tell what would happen, and change nothing.

--- What `trop.reserveGroup` gives.
---@class trop.ReserveGroupResult
---@field group table The reservation of each service, by the service's name.
---@field environment table What each service's variable is set to, by its name; and the other variables that the user allows.
---@field outcome "created"|"reused"|"extended"|"updated"|"reallocated"|"moved" created: nothing was stored; reused: it had these ports; extended: some were missing; updated: a project or task changed; reallocated: laid out anew; moved: the directory was elsewhere before, with these ports.
---@field dryRun boolean Whether this only tells what would happen.
---@field warnings string[] What the caller should know, a sentence each.

--- What `trop.autoreserve` takes.
---@class trop.AutoreserveArgument
---@field folder? string The directory from which trop.yaml or trop.local.yaml is searched for upward, as an editor knows it. The open folder if left away.
---@field task? string The task to note. By default it is inferred from the git worktree or branch.
---@field force? boolean Lay the group out anew as a whole, where the file would have stored ports elsewhere, and allow every change.
---@field allowUnrelatedPath? boolean Allow a directory that is neither above nor below this one.
---@field allowChangeProject? boolean Allow the stored project to change.
---@field allowChangeTask? boolean Allow the stored task to change.
---@field allowChange? boolean Allow the stored project and task to change.
---@field disableAutoprune? boolean When no port is left, keep reservations of missing directories.
---@field disableAutoexpire? boolean When no port is left, keep reservations that expired.
---@field skipOccupancyCheck? boolean Do not look whether something listens on a port.
---@field skipTcp? boolean Do not look at TCP.
---@field skipUdp? boolean Do not look at UDP.
---@field skipIpv4? boolean Do not look at IPv4.
---@field skipIpv6? boolean Do not look at IPv6.
---@field checkAllInterfaces? boolean Look at the wildcard addresses too, not just at loopback.
---@field dryRun? boolean Tell what would happen, and change nothing.

--- What `trop.autoreserve` gives.
---@class trop.AutoreserveResult
---@field group table The reservation of each service, by the service's name.
---@field environment table What each service's variable is set to, by its name; and the other variables that the user allows.
---@field outcome "created"|"reused"|"extended"|"updated"|"reallocated"|"moved" created: nothing was stored; reused: it had these ports; extended: some were missing; updated: a project or task changed; reallocated: laid out anew; moved: the directory was elsewhere before, with these ports.
---@field dryRun boolean Whether this only tells what would happen.
---@field warnings string[] What the caller should know, a sentence each.

--- What `trop.env` takes.
---@class trop.EnvArgument
---@field services? boolean Insist on the services of the project; it is an error if none are described.
---@field write? string A file of variables, such as .env, in which they are kept: in a block of its own, all else stays as it is. A relative name starts in the directory of the call.
---@field check? boolean With write: tell whether the file is up to date; reserve nothing and write nothing.
---@field remove? boolean With write: take the block out of the file; reserve nothing.
---@field commentOut? boolean With write: make comments of the lines outside of the block that set the same.
---@field takeOver? boolean With write: take the block of another directory for this one's.
---@field allowTracked? boolean With write: change the file also if git tracks it.
---@field folder? string The directory in which the program is to run, as an editor knows it. The open folder if left away.
---@field tag? string The one reservation with this tag. If left away, all services of the project, or the port without a tag where it describes none.
---@field allowUnrelatedPath? boolean Allow a directory that is neither above nor below this one.
---@field allowChangeProject? boolean Allow the stored project to change.
---@field allowChangeTask? boolean Allow the stored task to change.
---@field allowChange? boolean Allow the stored project and task to change.
---@field disableAutoprune? boolean When no port is left, keep reservations of missing directories.
---@field disableAutoexpire? boolean When no port is left, keep reservations that expired.
---@field skipOccupancyCheck? boolean Do not look whether something listens on a port.
---@field skipTcp? boolean Do not look at TCP.
---@field skipUdp? boolean Do not look at UDP.
---@field skipIpv4? boolean Do not look at IPv4.
---@field skipIpv6? boolean Do not look at IPv6.
---@field checkAllInterfaces? boolean Look at the wildcard addresses too, not just at loopback.
---@field dryRun? boolean Tell what would happen, and change nothing.

--- What `trop.env` gives.
---@class trop.EnvResult
---@field directory string The directory that the ports are reserved for.
---@field port? integer The port that needs no tag: the only one, or that of the service whose variable is PORT, else that of the one called web; null where there is none of them.
---@field name? string A name for what runs here: project and task, and a port that nobody else has; null where nothing is reserved.
---@field environment table The variables: PORT for the port that needs no tag, one for each service, and what the project's file makes from the ports.
---@field reservations trop.Reservation[] What is reserved for the program: the services in the order of their file, or the one reservation.
---@field others trop.Reservation[] What the same directory has reserved besides; it is only read.
---@field outcome "created"|"reused"|"extended"|"updated"|"reallocated"|"moved"|"None" created: nothing was stored; reused: it had these ports; extended: some services were missing; updated: a project or task changed; reallocated: a new port; moved: the directory was elsewhere before; null where nothing was to be reserved.
---@field file? string The file in which the variables are kept, as it was named.
---@field fileOutcome "created"|"updated"|"unchanged"|"removed"|"outdated"|"None" created: the file was made; updated: the block was written into it, or changed; unchanged: it was up to date, or had no block to remove; removed: the block was taken out; outdated: it was only checked, and is not up to date.
---@field fileDifferences string[] Why the file is not up to date, a sentence each.
---@field dryRun boolean Whether this only tells what would happen.
---@field warnings string[] What the caller should know, a sentence each.

--- What `trop.url` takes.
---@class trop.UrlArgument
---@field folder? string The directory in which the program is to run, as an editor knows it. The open folder if left away.
---@field tag? string The one reservation with this tag. If left away, all services of the project, or the port without a tag where it describes none.
---@field allowUnrelatedPath? boolean Allow a directory that is neither above nor below this one.
---@field allowChangeProject? boolean Allow the stored project to change.
---@field allowChangeTask? boolean Allow the stored task to change.
---@field allowChange? boolean Allow the stored project and task to change.
---@field disableAutoprune? boolean When no port is left, keep reservations of missing directories.
---@field disableAutoexpire? boolean When no port is left, keep reservations that expired.
---@field skipOccupancyCheck? boolean Do not look whether something listens on a port.
---@field skipTcp? boolean Do not look at TCP.
---@field skipUdp? boolean Do not look at UDP.
---@field skipIpv4? boolean Do not look at IPv4.
---@field skipIpv6? boolean Do not look at IPv6.
---@field checkAllInterfaces? boolean Look at the wildcard addresses too, not just at loopback.
---@field dryRun? boolean Tell what would happen, and change nothing.

--- What `trop.url` gives.
---@class trop.UrlResult
---@field url string The address, such as http://localhost:5000/.
---@field port integer The port in it.
---@field reservation trop.Reservation The reservation of the port.
---@field outcome "created"|"reused"|"extended"|"updated"|"reallocated"|"moved" What had to be done for it, as trop.env tells it.
---@field dryRun boolean Whether this only tells what would happen.
---@field warnings string[] What the caller should know, a sentence each.

--- What `trop.release` takes.
---@class trop.ReleaseArgument
---@field folder? string The directory, as an editor knows it: links are followed. If left away, the open folder.
---@field path? string The directory, exactly as spelled: links are not followed.
---@field tag? string Only the reservation with this tag.
---@field untaggedOnly? boolean Only the reservation without a tag.
---@field recursive? boolean Everything below the directory, too.
---@field allowUnrelatedPath? boolean Allow a directory that is neither above nor below this one.
---@field force? boolean Allow a directory that is neither above nor below this one; there is nothing else to force.
---@field dryRun? boolean Tell what would happen, and change nothing.
---@field plan? string The token of the plan that a dry run gave: do this only if it is still exactly what was planned.

--- What `trop.release` gives.
---@class trop.ReleaseResult
---@field released trop.Reservation[] The released reservations, the first 1,000 of them.
---@field releasedCount integer How many were released.
---@field truncated boolean Whether more were released than are listed.
---@field dryRun boolean Whether this only tells what would happen.
---@field plan? { token: string, expiresAt: string, summary: string } Only of a dry run: its plan, with its token, until when it may be used, and what it would do.
---@field warnings string[] What the caller should know, a sentence each.

--- What `trop.migrate` takes.
---@class trop.MigrateArgument
---@field from string The directory whose reservations move, exactly as spelled.
---@field to string The directory that they move to, exactly as spelled. It need not exist yet.
---@field recursive? boolean Move those of everything below the directory, too.
---@field force? boolean Remove the reservations that are in the way.
---@field dryRun? boolean Tell what would happen, and change nothing.
---@field plan? string The token of the plan that a dry run gave: do this only if it is still exactly what was planned.

--- What `trop.migrate` gives.
---@class trop.MigrateResult
---@field from string Where it was, as it is stored.
---@field to string Where it is now, as it is stored.
---@field migrated ({ from: string, to: string, tag: string, port: integer })[] What moved, the first 1,000 of it.
---@field overwritten trop.Reservation[] What was in the way and is gone, the first 1,000 of it.
---@field migratedCount integer How many moved.
---@field overwrittenCount integer How many are gone.
---@field truncated boolean Whether one of the lists is shorter than its count.
---@field dryRun boolean Whether this only tells what would happen.
---@field plan? { token: string, expiresAt: string, summary: string } Only of a dry run: its plan, with its token, until when it may be used, and what it would do.
---@field warnings string[] What the caller should know, a sentence each.

--- What `trop.swap` takes.
---@class trop.SwapArgument
---@field folder? string This directory, as an editor knows it: links are followed. If left away, the open folder.
---@field path string The other directory, exactly as spelled: links are not followed.
---@field tag? string The tag whose ports are exchanged. Those without a tag if left away.
---@field allowUnrelatedPath? boolean Allow a directory that is neither above nor below this one.
---@field force? boolean Exchange them although something listens on one of them, and allow a directory that is neither above nor below this one.
---@field dryRun? boolean Tell what would happen, and change nothing.
---@field plan? string The token of the plan that a dry run gave: do this only if it is still exactly what was planned.

--- What `trop.swap` gives.
---@class trop.SwapResult
---@field reservation trop.Reservation This directory's reservation as it is now, or would be.
---@field other trop.Reservation The other directory's.
---@field dryRun boolean Whether this only tells what would happen.
---@field plan? { token: string, expiresAt: string, summary: string } Only of a dry run: its plan, with its token, until when it may be used, and what it would do.
---@field warnings string[] What the caller should know, a sentence each.

--- What `trop.status` takes.
---@class trop.StatusArgument
---@field folder? string The directory, as an editor knows it. The open folder if left away.
---@field path? string The directory, exactly as spelled.

--- What `trop.status` gives.
---@class trop.StatusResult
---@field path string The directory, as its reservations are stored.
---@field entries ({ path: string, tag: string, port: integer, state: "free"|"own"|"other"|"occupied"|"unknown"|"unreserved", inFile: boolean, variable: string, url: string, project: string, task: string, occupied: boolean, holder: { pid: integer, name: string, command: string, user: string, workingDirectory: string, relation: "own"|"other"|"unknown", directory: string } })[] Its services and reservations. state: free, nothing is on the port; own, a program of the port's directory; other, one of another directory; occupied, nobody can tell whose; unknown, nobody could look; unreserved, a service without a port, which autoreserve gives it. inFile: whether the project's file has the service.
---@field files string[] The project's configuration files that count here.
---@field settings table Where each setting that is no default was given, by its dotted name.
---@field truncated boolean Whether there are more entries than one answer may hold.
---@field warnings string[] What is odd, a sentence each.

--- What `trop.list` takes.
---@class trop.ListArgument
---@field folder? string Only what is at or below this directory, as an editor knows it.
---@field path? string Only what is at or below this directory, exactly as spelled.
---@field project? string Only this project.
---@field tag? string Only this tag.
---@field here? boolean Only this directory; in a git worktree, only the worktree and the others of its repository.
---@field includeOccupancy? boolean Tell of each port whether something occupies it now, and who.
---@field limit? integer How many reservations to give at the most.
---@field after? string Where to go on: next of the page before.

--- What `trop.list` gives.
---@class trop.ListResult
---@field reservations trop.Reservation[] The reservations, in the order of path and tag. One whose directory is missing has missing: true; with includeOccupancy each has occupied, which is null where nobody looked, and holder, the process that occupies the port and whose it is: null where nothing does, or where it is not known who.
---@field next? string What the following call gives as after; null at the end.
---@field truncated boolean Whether there are more reservations than one answer may hold.
---@field warnings string[] What the caller should know, a sentence each.

--- What `trop.listProjects` takes.
---@class trop.ListProjectsArgument

--- What `trop.listProjects` gives.
---@class trop.ListProjectsResult
---@field projects string[] Every project once, in the order of their code points.
---@field truncated boolean Whether there are more than one answer may hold.
---@field warnings string[] What the caller should know, a sentence each.

--- What `trop.portInfo` takes.
---@class trop.PortInfoArgument
---@field port integer The port that is asked about.
---@field includeOccupancy? boolean Tell who uses the port now, too.
---@field checkAllInterfaces? boolean Count what uses the port on any address as occupying it, not just on loopback and on all addresses at once.
---@field skipOccupancyCheck? boolean Do not look who uses a port.
---@field skipTcp? boolean Do not look at TCP.
---@field skipUdp? boolean Do not look at UDP.
---@field skipIpv4? boolean Do not look at IPv4.
---@field skipIpv6? boolean Do not look at IPv6.

--- What `trop.portInfo` gives.
---@class trop.PortInfoResult
---@field port integer The port.
---@field reservation? trop.Reservation The reservation that holds it, or null.
---@field directoryExists? boolean Whether the reservation's directory exists; null without a reservation, or where the system does not say.
---@field occupied? boolean Whether something uses the port in the way of reserving it; null where that was not asked, where nothing is seen and the system hides what other users' processes hold, or where it shows nothing at all.
---@field holder? { pid: integer, name: string, command: string, user: string, workingDirectory: string, relation: "own"|"other"|"unknown", directory: string } The process that occupies it, and whose it is; of several, one that does not belong there. Null where nothing occupies the port, or where it is not known who does.
---@field sockets? ({ port: integer, protocol: "tcp"|"udp", family: "ipv4"|"ipv6", address: string, pid: integer, name: string, user: string, command: string, workingDirectory: string, relation: "own"|"other"|"unknown", directory: string })[] What uses the port, on whatever address: the local address, the process where the system tells, and whose it is; null where that was not asked, or where the system shows nothing at all.
---@field truncated boolean Whether there are more sockets than one answer may hold.
---@field warnings string[] What the caller should know, a sentence each.

--- What `trop.scan` takes.
---@class trop.ScanArgument
---@field folder? string The directory whose configuration gives the range, as an editor knows it. The open folder if left away.
---@field path? string The directory whose configuration gives the range, exactly as spelled.
---@field min? integer The lowest port to look at. By default the lowest one that is given away.
---@field max? integer The highest port to look at. By default the highest one that is given away.
---@field autoexclude? boolean Add the ports that are occupied, and neither reserved nor excluded, to the exclusions in the project's trop.yaml.
---@field autocompact? boolean Put the exclusions in the project's trop.yaml into order.
---@field dryRun? boolean Tell what would be excluded, and change nothing.
---@field skipOccupancyCheck? boolean Do not look who uses a port.
---@field skipTcp? boolean Do not look at TCP.
---@field skipUdp? boolean Do not look at UDP.
---@field skipIpv4? boolean Do not look at IPv4.
---@field skipIpv6? boolean Do not look at IPv6.

--- What `trop.scan` gives.
---@class trop.ScanResult
---@field min integer The lowest port that was looked at.
---@field max integer The highest port that was looked at.
---@field sockets ({ port: integer, protocol: "tcp"|"udp", family: "ipv4"|"ipv6", address: string, pid: integer, name: string, user: string, reserved: boolean, command: string, workingDirectory: string, directory: string, relation: "own"|"other"|"unknown" })[] What holds a port, each once: on which local address, which process (null where the system does not tell), and whose it is. Sorted by port, protocol, family, address and process id.
---@field file? string The configuration file whose exclusions were to be changed; null if none was.
---@field added string[] What was added to its exclusions, as ports and ranges.
---@field changed boolean Whether the file was changed, or would be.
---@field truncated boolean Whether there are more than one answer may hold.
---@field dryRun boolean Whether this only tells what would happen.
---@field warnings string[] What the caller should know, a sentence each.

--- What `trop.doctor` takes.
---@class trop.DoctorArgument
---@field folder? string The directory, as an editor knows it. The open folder if left away.
---@field path? string The directory, exactly as spelled.

--- What `trop.doctor` gives.
---@class trop.DoctorResult
---@field status "ok"|"info"|"warning"|"error" The worst of what was found. error: commands fail; warning: something is not as it is meant to be; info: something is worth knowing; ok: all is well.
---@field dataDir? string The data directory that was looked at; null where there is none.
---@field directory? string The directory that was looked at; null where it cannot be looked at.
---@field checks ({ check: string, status: "ok"|"info"|"warning"|"error", message: string, advice: string })[] What was found, a check after the other: its name, the status, what is the case, and what to do about it.
---@field warnings string[] What the caller should know, a sentence each.

--- What `trop.history` takes.
---@class trop.HistoryArgument
---@field folder? string Only what was done at or below this directory, as an editor knows it.
---@field path? string Only what was done at or below this directory, exactly as spelled.
---@field here? boolean Only what was done at or below this directory.
---@field port? integer Only what was done with this port.
---@field limit? integer How many operations to tell at the most.

--- What `trop.history` gives.
---@class trop.HistoryResult
---@field operations ({ id: integer, time: string, command: string, door: string, process: integer, directory: string, summary: string, undoes: integer, undoneBy: integer, planned: boolean, changed: integer, changes: ({ path: string, tag: string, before: trop.Reservation, after: trop.Reservation })[] })[] What was done, the newest first, each with the first 100 of its changes: a reservation before and after it.
---@field truncated boolean Whether there are more than are listed.
---@field warnings string[] What the caller should know, a sentence each.

--- What `trop.undo` takes.
---@class trop.UndoArgument
---@field id? integer The operation's number, as history tells it. If left away, the last one that touched the directory and is neither undone nor an undo.
---@field folder? string The directory, as an editor knows it: links are followed. If left away, the open folder.
---@field path? string The directory, exactly as spelled: links are not followed.
---@field any? boolean The last operation of all, whichever directory it touched.
---@field allowUnrelatedPath? boolean Allow directories that are neither above nor below this one.
---@field force? boolean Allow directories that are neither above nor below this one; there is nothing else to force.
---@field dryRun? boolean Tell what would happen, and change nothing.
---@field plan? string The token of the plan that a dry run gave: do this only if it is still exactly what was planned.

--- What `trop.undo` gives.
---@class trop.UndoResult
---@field operation integer The number of the operation that was taken back.
---@field command string What it was.
---@field time string When it was.
---@field restored trop.Reservation[] What has come back, the first 1,000 of it.
---@field removed trop.Reservation[] What has gone for it, the first 1,000 of it.
---@field changed integer How many reservations it had changed.
---@field truncated boolean Whether one of the lists is shorter than it would be.
---@field dryRun boolean Whether this only tells what would happen.
---@field plan? { token: string, expiresAt: string, summary: string } Only of a dry run: its plan, with its token, until when it may be used, and what it would do.
---@field warnings string[] What the caller should know, a sentence each.

--- What `trop.init` takes.
---@class trop.InitArgument
---@field dataDir? string The directory to create. The one that is used anyway if left away.
---@field withConfig? boolean Write a config.yaml in which every setting is explained, too.
---@field overwrite? boolean Empty an existing store, after a backup; with a configuration, replace that as well.
---@field dryRun? boolean Tell what would happen, and change nothing.
---@field plan? string The token of the plan that a dry run gave: do this only if it is still exactly what was planned.

--- What `trop.init` gives.
---@class trop.InitResult
---@field dataDir string The data directory.
---@field databasePath string The store's file.
---@field schemaVersion integer The version of its layout.
---@field actions ({ kind: "createDirectory"|"createDatabase"|"upgradeSchema"|"backup"|"rebuildDatabase"|"moveAside"|"createConfig"|"replaceConfig", path: string })[] What was done, or would be, in this order; empty if nothing was.
---@field truncated boolean Whether there are more actions than are listed.
---@field dryRun boolean Whether this only tells what would happen.
---@field plan? { token: string, expiresAt: string, summary: string } Only of a dry run: its plan, with its token, until when it may be used, and what it would do.
---@field warnings string[] What the caller should know, a sentence each.

--- What `trop.backup` takes.
---@class trop.BackupArgument
---@field file? string The new file. If left away, one beside the store, with the time in its name. An existing one stays as it is.
---@field dryRun? boolean Tell what would happen, and write nothing.

--- What `trop.backup` gives.
---@class trop.BackupResult
---@field file string The file that was written, or would be.
---@field databasePath string The store that it is a copy of.
---@field dryRun boolean Whether this only tells what would happen.
---@field warnings string[] What the caller should know, a sentence each.

--- What `trop.restore` takes.
---@class trop.RestoreArgument
---@field file string The backup: a file that backup, init or an upgrade has written.
---@field dryRun? boolean Tell what would happen, and change nothing.
---@field plan? string The token of the plan that a dry run gave: do this only if it is still exactly what was planned.

--- What `trop.restore` gives.
---@class trop.RestoreResult
---@field file string The backup.
---@field backup? string Where what was there before was backed up, or would be; null where there was nothing.
---@field restoredCount integer How many reservations there are now.
---@field changedCount integer How many reservations are others than before; 0 where nothing had to be done.
---@field replacedCount integer How many there were before.
---@field dryRun boolean Whether this only tells what would happen.
---@field plan? { token: string, expiresAt: string, summary: string } Only of a dry run: its plan, with its token, until when it may be used, and what it would do.
---@field warnings string[] What the caller should know, a sentence each.

--- What `trop.showPath` takes.
---@class trop.ShowPathArgument
---@field folder? string The directory, as an editor knows it. The open folder if left away.
---@field path? string The directory, exactly as spelled.
---@field root? boolean The root of the git worktree that the directory lies in.
---@field canonicalize? boolean Follow the links of an explicit path too.

--- What `trop.showPath` gives.
---@class trop.ShowPathResult
---@field path string The path that a reservation would be kept for.
---@field configDirectories string[] The directories in which a project's configuration counts for it, the nearest first: up to the one that has some, or as far as is looked.
---@field warnings string[] What the caller should know, a sentence each.

--- What `trop.showDataDir` takes.
---@class trop.ShowDataDirArgument

--- What `trop.showDataDir` gives.
---@class trop.ShowDataDirResult
---@field dataDir string The data directory, whether it exists or not.
---@field warnings string[] What the caller should know, a sentence each.

--- What `trop.validate` takes.
---@class trop.ValidateArgument
---@field config string The configuration file to check. One that is called config.yaml is checked as the one in the data directory, any other as a project's.

--- What `trop.validate` gives.
---@class trop.ValidateResult
---@field valid boolean Whether trop can use the file as it is.
---@field problems ({ file: string, line: integer, column: integer, key: string, message: string })[] Every mistake, in the order of their places in the file.
---@field truncated boolean Whether there are more mistakes than are listed.
---@field warnings string[] What the caller should know, a sentence each.

--- What `trop.schema` takes.
---@class trop.SchemaArgument
---@field file? "trop.yaml"|"trop.local.yaml"|"config.yaml"|"None" The file whose schema it is; trop.yaml if left away.

--- What `trop.schema` gives.
---@class trop.SchemaResult
---@field schema table The JSON Schema, draft-07.
---@field warnings string[] What the caller should know, a sentence each.

--- What `trop.exclude` takes.
---@class trop.ExcludeArgument
---@field ports string A port such as 5001, or a range such as 5005..5009, both ends included.
---@field folder? string A directory of the project whose trop.yaml is changed, as an editor knows it. The open folder if left away.
---@field global? boolean Exclude them for all projects: in config.yaml of the data directory.
---@field force? boolean Exclude ports that are reserved, too; their reservations stay. Allow an unrelated path.
---@field dryRun? boolean Tell what would happen, and change nothing.

--- What `trop.exclude` gives.
---@class trop.ExcludeResult
---@field file string The configuration file.
---@field ports string The ports that were asked for.
---@field added string[] Those of them that the file did not exclude before, as ports and ranges.
---@field changed boolean Whether the file was changed, or would be.
---@field truncated boolean Whether more was added than is listed.
---@field dryRun boolean Whether this only tells what would happen.
---@field warnings string[] What the caller should know, a sentence each.

--- What `trop.compactExclusions` takes.
---@class trop.CompactExclusionsArgument
---@field config string The configuration file.
---@field dryRun? boolean Tell what would happen, and change nothing.

--- What `trop.compactExclusions` gives.
---@class trop.CompactExclusionsResult
---@field file string The configuration file.
---@field before string[] The entries of the list as it was: ports and ranges.
---@field after string[] The entries as they are now, or would be.
---@field changed boolean Whether the file was changed, or would be.
---@field truncated boolean Whether a list has more entries than are shown.
---@field dryRun boolean Whether this only tells what would happen.
---@field warnings string[] What the caller should know, a sentence each.

--- What `trop.prune` takes.
---@class trop.PruneArgument
---@field force? boolean Take also what is missing and may come back: a volume that is not mounted, a locked worktree.
---@field dryRun? boolean Tell what would happen, and change nothing.
---@field plan? string The token of the plan that a dry run gave: do this only if it is still exactly what was planned.

--- What `trop.prune` gives.
---@class trop.PruneResult
---@field removed ({ reservation: trop.Reservation, reason: "missing"|"expired" })[] The removed reservations, the first 1,000 of them; the reason is missing (the directory) or expired.
---@field removedCount integer How many were removed.
---@field keptCount integer How many stay although their directories are missing: on a volume that is not mounted, or in a worktree that git holds as locked.
---@field truncated boolean Whether more were removed than are listed.
---@field dryRun boolean Whether this only tells what would happen.
---@field plan? { token: string, expiresAt: string, summary: string } Only of a dry run: its plan, with its token, until when it may be used, and what it would do.
---@field warnings string[] What the caller should know, a sentence each.

--- What `trop.expire` takes.
---@class trop.ExpireArgument
---@field days? integer How many days without use are too many; without it, the setting cleanup.expire_after_days (usually 30).
---@field dryRun? boolean Tell what would happen, and change nothing.
---@field plan? string The token of the plan that a dry run gave: do this only if it is still exactly what was planned.

--- What `trop.expire` gives.
---@class trop.ExpireResult
---@field removed ({ reservation: trop.Reservation, reason: "missing"|"expired" })[] The removed reservations, the first 1,000 of them; the reason is missing (the directory) or expired.
---@field removedCount integer How many were removed.
---@field keptCount integer How many stay although their directories are missing: on a volume that is not mounted, or in a worktree that git holds as locked.
---@field truncated boolean Whether more were removed than are listed.
---@field dryRun boolean Whether this only tells what would happen.
---@field plan? { token: string, expiresAt: string, summary: string } Only of a dry run: its plan, with its token, until when it may be used, and what it would do.
---@field warnings string[] What the caller should know, a sentence each.

--- What `trop.autoclean` takes.
---@class trop.AutocleanArgument
---@field days? integer How many days without use are too many; without it, the setting cleanup.expire_after_days (usually 30).
---@field force? boolean Take also what is missing and may come back: a volume that is not mounted, a locked worktree.
---@field dryRun? boolean Tell what would happen, and change nothing.
---@field plan? string The token of the plan that a dry run gave: do this only if it is still exactly what was planned.

--- What `trop.autoclean` gives.
---@class trop.AutocleanResult
---@field removed ({ reservation: trop.Reservation, reason: "missing"|"expired" })[] The removed reservations, the first 1,000 of them; the reason is missing (the directory) or expired.
---@field removedCount integer How many were removed.
---@field keptCount integer How many stay although their directories are missing: on a volume that is not mounted, or in a worktree that git holds as locked.
---@field truncated boolean Whether more were removed than are listed.
---@field dryRun boolean Whether this only tells what would happen.
---@field plan? { token: string, expiresAt: string, summary: string } Only of a dry run: its plan, with its token, until when it may be used, and what it would do.
---@field warnings string[] What the caller should know, a sentence each.

--- What `trop.assertReservation` takes.
---@class trop.AssertReservationArgument
---@field folder? string The directory, as an editor knows it: links are followed. If left away, the open folder.
---@field path? string The directory, exactly as spelled: links are not followed.
---@field tag? string The reservation with this tag; without it, the one that has no tag.
---@field not? boolean Assert that there is no such reservation.

--- What `trop.assertReservation` gives.
---@class trop.AssertReservationResult
---@field holds boolean Whether what was asserted is the case; with not, whether it is not.
---@field explanation string What is the case, for a person.
---@field reservation? trop.Reservation The reservation that was found, if any.
---@field violations ({ table: string, column: string, key: string, message: string })[] What is wrong with the store, the first 1,000 of it; with any, the assertion does not hold, nor does its not.
---@field truncated boolean Whether there are more violations than are listed.
---@field warnings string[] What the caller should know, a sentence each.

--- What `trop.assertPort` takes.
---@class trop.AssertPortArgument
---@field port integer The port, whoever it is reserved for.
---@field not? boolean Assert that the port is not reserved.

--- What `trop.assertPort` gives.
---@class trop.AssertPortResult
---@field holds boolean Whether what was asserted is the case; with not, whether it is not.
---@field explanation string What is the case, for a person.
---@field reservation? trop.Reservation The reservation that was found, if any.
---@field violations ({ table: string, column: string, key: string, message: string })[] What is wrong with the store, the first 1,000 of it; with any, the assertion does not hold, nor does its not.
---@field truncated boolean Whether there are more violations than are listed.
---@field warnings string[] What the caller should know, a sentence each.

--- What `trop.assertDataDir` takes.
---@class trop.AssertDataDirArgument
---@field validate? boolean Read the whole store, and tell everything that is wrong with it. Changes nothing.
---@field not? boolean Assert that there is no store. One that is damaged does not count as none.

--- What `trop.assertDataDir` gives.
---@class trop.AssertDataDirResult
---@field holds boolean Whether what was asserted is the case; with not, whether it is not.
---@field explanation string What is the case, for a person.
---@field reservation? trop.Reservation The reservation that was found, if any.
---@field violations ({ table: string, column: string, key: string, message: string })[] What is wrong with the store, the first 1,000 of it; with any, the assertion does not hold, nor does its not.
---@field truncated boolean Whether there are more violations than are listed.
---@field warnings string[] What the caller should know, a sentence each.

--- What `trop.listCommands` takes.
---@class trop.ListCommandsArgument

--- What `trop.listCommands` gives.
---@class trop.ListCommandsResult
---@field commands { command: string, title: string, description: string, inputSchema: table, outputSchema: table, readOnly: boolean, destructive: boolean, idempotent: boolean }[] Every command with its texts, schemas and properties.
---@field warnings string[] What the caller should know, a sentence each.

--- The commands of the server, as functions.
---@class trop.Commands
---@field reserve fun(argument?: trop.ReserveArgument, callback?: fun(err: trop.Error?, result: trop.ReserveResult?)) Reserves a port for a directory and returns it. The same directory and tag always get the same port, also after a restart and whatever listens on it by then.
---@field reserve_group fun(argument?: trop.ReserveGroupArgument, callback?: fun(err: trop.Error?, result: trop.ReserveGroupResult?)) Reserves a port for each service in a configuration file, all or none, and returns them with the names of their environment variables. The same file always gets the same ports.
---@field autoreserve fun(argument?: trop.AutoreserveArgument, callback?: fun(err: trop.Error?, result: trop.AutoreserveResult?)) Reserves a port for each service in the trop.yaml of the project that a folder belongs to, all or none, and returns them with the names of their environment variables. The same project folder always gets the same ports.
---@field env fun(argument?: trop.EnvArgument, callback?: fun(err: trop.Error?, result: trop.EnvResult?)) Reserves what a folder has, its project's services or its one port, and returns the environment variables that a program is started with in it. On request it keeps them in a file, such as .env, in a block of its own.
---@field url fun(argument?: trop.UrlArgument, callback?: fun(err: trop.Error?, result: trop.UrlResult?)) Reserves what a folder has, as trop.env does, and returns the address of its port: of the only one, of the service called web, or of the one with a tag.
---@field release fun(argument?: trop.ReleaseArgument, callback?: fun(err: trop.Error?, result: trop.ReleaseResult?)) Releases the reservations of a directory: all of them, or the one with a tag.
---@field migrate fun(argument?: trop.MigrateArgument, callback?: fun(err: trop.Error?, result: trop.MigrateResult?)) Moves the reservations of a directory to another path; ports and everything else stay. For directories that were moved or renamed, or will be. All or none: one reservation in the way refuses the whole.
---@field swap fun(argument?: trop.SwapArgument, callback?: fun(err: trop.Error?, result: trop.SwapResult?)) Exchanges the ports of this directory and another one under the same tag, both of which have one: for a callback or an origin that is registered elsewhere with one port.
---@field list fun(argument?: trop.ListArgument, callback?: fun(err: trop.Error?, result: trop.ListResult?)) Lists reservations in the order of path and tag: all, or those of a directory, project or tag.
---@field list_projects fun(argument?: trop.ListProjectsArgument, callback?: fun(err: trop.Error?, result: trop.ListProjectsResult?)) Lists the projects that reservations belong to.
---@field port_info fun(argument?: trop.PortInfoArgument, callback?: fun(err: trop.Error?, result: trop.PortInfoResult?)) Tells whether a port is reserved and for whom, whether that directory still exists, and on request who uses the port now, and from which directory. A port that nobody reserved is an answer, too.
---@field scan fun(argument?: trop.ScanArgument, callback?: fun(err: trop.Error?, result: trop.ScanResult?)) Tells who occupies the ports of a range: protocol, address, process and user, whether the port is reserved, and whether the process belongs to the directory that it is reserved for. Reads the system's table of sockets; binds nothing. On request, adds the occupied ports that nobody reserved to the exclusions in the project's trop.yaml.
---@field doctor fun(argument?: trop.DoctorArgument, callback?: fun(err: trop.Error?, result: trop.DoctorResult?)) Looks at the store, its file system, the configuration, the range, git, a directory's reservations and the programs, and tells of each check whether all is well and what to do. Changes nothing, and works where everything is broken.
---@field history fun(argument?: trop.HistoryArgument, callback?: fun(err: trop.Error?, result: trop.HistoryResult?)) Tells what was done to the reservations: when, by which command, from where, and each reservation before and after it. Another program's changes are not on record.
---@field undo fun(argument?: trop.UndoArgument, callback?: fun(err: trop.Error?, result: trop.UndoResult?)) Takes back one operation, whoever did it: every reservation that it changed is as it was before. If one of them was changed again since, or its port was given away, nothing is done.
---@field init fun(argument?: trop.InitArgument, callback?: fun(err: trop.Error?, result: trop.InitResult?)) Creates the data directory and the store, or brings an existing store to the latest schema. Doing it twice is harmless. With overwrite, an existing store is backed up and emptied.
---@field backup fun(argument?: trop.BackupArgument, callback?: fun(err: trop.Error?, result: trop.BackupResult?)) Copies the store to a new file, as it is at one moment. Programs that use the store go on meanwhile.
---@field restore fun(argument?: trop.RestoreArgument, callback?: fun(err: trop.Error?, result: trop.RestoreResult?)) Puts the reservations of a backup in the place of all that are there, after a backup of these. Programs that use the store go on with it; undo takes it back.
---@field show_path fun(argument?: trop.ShowPathArgument, callback?: fun(err: trop.Error?, result: trop.ShowPathResult?)) Shows the path that a reservation would be kept for.
---@field show_data_dir fun(argument?: trop.ShowDataDirArgument, callback?: fun(err: trop.Error?, result: trop.ShowDataDirResult?)) Shows the directory that holds the store and its configuration.
---@field validate fun(argument?: trop.ValidateArgument, callback?: fun(err: trop.Error?, result: trop.ValidateResult?)) Checks a configuration file, and tells every mistake in it with file, line and column.
---@field schema fun(argument?: trop.SchemaArgument, callback?: fun(err: trop.Error?, result: trop.SchemaResult?)) Gives the JSON Schema of a configuration file, for editors and other tools that check YAML by one.
---@field exclude fun(argument?: trop.ExcludeArgument, callback?: fun(err: trop.Error?, result: trop.ExcludeResult?)) Adds a port or a range to the exclusions in the project's trop.yaml, or for all projects: no reservation is given such a port. Ports that are reserved are refused. Everything else in the file stays as it is.
---@field compact_exclusions fun(argument?: trop.CompactExclusionsArgument, callback?: fun(err: trop.Error?, result: trop.CompactExclusionsResult?)) Puts the excluded ports of a configuration file into ascending order and merges neighbours and overlaps: the same ports in as few entries as can be. Everything else in the file stays as it is.
---@field prune fun(argument?: trop.PruneArgument, callback?: fun(err: trop.Error?, result: trop.PruneResult?)) Removes the reservations of directories that no longer exist, in the whole store. A directory that merely cannot be read keeps its own.
---@field expire fun(argument?: trop.ExpireArgument, callback?: fun(err: trop.Error?, result: trop.ExpireResult?)) Removes the reservations that were last used more than so many days ago, in the whole store, whether their directories exist or not.
---@field autoclean fun(argument?: trop.AutocleanArgument, callback?: fun(err: trop.Error?, result: trop.AutocleanResult?)) Removes the reservations of directories that no longer exist, and those that were last used more than so many days ago: prune and expire at once.
---@field assert_reservation fun(argument?: trop.AssertReservationArgument, callback?: fun(err: trop.Error?, result: trop.AssertReservationResult?)) Tells whether a directory has a reservation, and which port it is. Unlike reserving, it creates and refreshes nothing.
---@field assert_port fun(argument?: trop.AssertPortArgument, callback?: fun(err: trop.Error?, result: trop.AssertPortResult?)) Tells whether a port is reserved, and for whom. Whether anything listens on it does not matter.
---@field assert_data_dir fun(argument?: trop.AssertDataDirArgument, callback?: fun(err: trop.Error?, result: trop.AssertDataDirResult?)) Tells whether there is a store and, with validate, whether it is sound: every page, table and row is read, and nothing is changed or created.
---@field list_commands fun(argument?: trop.ListCommandsArgument, callback?: fun(err: trop.Error?, result: trop.ListCommandsResult?)) Lists every command with its fields, result and properties, as JSON Schemas.
