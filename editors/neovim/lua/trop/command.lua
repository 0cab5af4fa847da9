--- `:Trop`, its subcommands and their completion.
local folders = require("trop.folders")
local messages = require("trop.messages")
local plain = require("trop.plain")
local server = require("trop.server")

local M = {}

local PATIENCE_MS = 2000

--- Execute a command; an error is told to the person, a result goes to the callback.
---@param command string
---@param argument table
---@param callback fun(result: table)
---@param on_error? fun(err: trop.Error) called instead of telling
local function execute(command, argument, callback, on_error)
  server.execute(command, argument, nil, function(err, result)
    if result then
      callback(result)
    elseif err then
      (on_error or messages.error)(err)
    end
  end)
end

--- The folder that a subcommand is about. Where there is none, the person is told.
---@return string?
local function here()
  local folder = folders.of()
  if not folder then
    messages.usage("no folder is open here. Open a file of a project, or change to its directory.")
  end
  return folder
end

--- An argument as an absolute path: the editor's working directory need not be the server's.
---@param path string
---@return string
local function absolute(path)
  return vim.fn.fnamemodify(vim.fs.normalize(path), ":p")
end

---@param count integer
---@return string
local function reservations_in_words(count)
  return count == 1 and "1 reservation" or ("%d reservations"):format(count)
end

---@param reservations trop.Reservation[]
---@return string
local function ports_in_words(reservations)
  local words = {}
  for index, reservation in ipairs(reservations) do
    if index > 5 then
      table.insert(words, "…")
      break
    end
    table.insert(words, reservation.port .. (reservation.tag and (" (%s)"):format(reservation.tag) or ""))
  end
  return table.concat(words, ", ")
end

---@param tag string?
local function reserve(tag)
  local folder = here()
  if not folder then
    return
  end
  server.open(folder)
  execute("trop.reserve", { folder = folder, tag = tag }, function(result)
    local reservation = result.reservation
    messages.info(("port %d for %s"):format(reservation.port, messages.place(reservation)), result)
  end)
end

---@param bang boolean
---@param tag string?
local function release(bang, tag)
  local folder = here()
  if not folder then
    return
  end
  -- It is not opened: a folder that opens may get a port, and that would be one more to release.
  local argument = { folder = folder, tag = tag, allowUnrelatedPath = true }
  local function really()
    execute("trop.release", argument, function(result)
      if result.releasedCount == 0 then
        return messages.info("there is nothing to release", result)
      end
      messages.info(("released %s"):format(ports_in_words(result.released)), result)
    end)
  end
  if bang then
    return really()
  end
  execute("trop.release", vim.tbl_extend("force", argument, { dryRun = true }), function(result)
    if result.releasedCount == 0 then
      return messages.info("there is nothing to release", result)
    end
    local question = "Release %s of %s?"
    messages.ask(
      question:format(ports_in_words(result.released), messages.path(result.released[1].path)),
      "Release",
      really
    )
  end)
end

---@param result trop.MigrateResult
---@return string[]
local function moves_in_words(result)
  local lines = {}
  for _, move in ipairs(result.migrated) do
    local from = messages.place({ path = move.from, tag = move.tag })
    table.insert(lines, ("%d: %s -> %s"):format(move.port, from, messages.path(move.to)))
  end
  for _, reservation in ipairs(result.overwritten) do
    table.insert(lines, ("in the way: %d: %s"):format(reservation.port, messages.place(reservation)))
  end
  if result.truncated then
    table.insert(lines, "…")
  end
  return vim.list_extend(lines, result.warnings)
end

---@param bang boolean
---@param from string
---@param to string
local function migrate(bang, from, to)
  local argument = { from = absolute(from), to = absolute(to), recursive = true }
  local function really(force)
    execute("trop.migrate", vim.tbl_extend("force", argument, { force = force }), function(result)
      if result.migratedCount == 0 then
        return messages.info("there is nothing to migrate", result)
      end
      messages.info(
        ("migrated %s to %s"):format(reservations_in_words(result.migratedCount), messages.path(result.to)),
        result
      )
    end)
  end
  if bang then
    return really(true)
  end
  local function preview(force, yes)
    execute("trop.migrate", vim.tbl_extend("force", argument, { dryRun = true, force = force }), function(result)
      if result.migratedCount == 0 then
        return messages.info("there is nothing to migrate", result)
      end
      local question = ("Migrate %s"):format(reservations_in_words(result.migratedCount))
      if result.overwrittenCount > 0 then
        question = ("%s and remove %s in the way"):format(question, reservations_in_words(result.overwrittenCount))
      end
      messages.ask(question .. "?", yes, function()
        really(force)
      end, moves_in_words(result))
    end, function(err)
      if not force and err.data and err.data.kind == "reservation_conflict" then
        return preview(true, "Overwrite")
      end
      messages.error(err)
    end)
  end
  preview(false, "Migrate")
end

---@param rows string[][]
---@return string[]
local function table_of(rows)
  rows = vim.tbl_map(function(row)
    return vim.tbl_map(plain.text, row)
  end, rows)
  local widths = {}
  for _, row in ipairs(rows) do
    for column, cell in ipairs(row) do
      widths[column] = math.max(widths[column] or 0, vim.fn.strdisplaywidth(cell))
    end
  end
  return vim.tbl_map(function(row)
    local cells = {}
    for column, cell in ipairs(row) do
      table.insert(cells, cell .. (" "):rep(widths[column] - vim.fn.strdisplaywidth(cell)))
    end
    return (table.concat(cells, "  "):gsub("%s+$", ""))
  end, rows)
end

local function list()
  local rows = { { "PORT", "PATH", "TAG", "PROJECT", "TASK", "IN USE" } }
  local function page(after)
    execute("trop.list", { after = after, includeOccupancy = true }, function(result)
      for _, reservation in ipairs(result.reservations) do
        table.insert(rows, {
          tostring(reservation.port),
          messages.path(reservation.path),
          reservation.tag or "-",
          reservation.project or "-",
          reservation.task or "-",
          reservation.occupied and "yes" or "-",
        })
      end
      if result.next then
        return page(result.next)
      end
      if #rows == 1 then
        return messages.info("nothing is reserved", result)
      end
      messages.show("trop://reservations", table_of(rows))
    end)
  end
  page(nil)
end

local function list_projects()
  execute("trop.listProjects", {}, function(result)
    local none = #result.projects == 0
    messages.info(none and "there are no projects" or vim.list_extend({ "projects:" }, result.projects), result)
  end)
end

local function init()
  execute("trop.init", {}, function(result)
    if #result.actions == 0 then
      return messages.info(("%s is there already"):format(messages.path(result.databasePath)), result)
    end
    local lines = vim.tbl_map(function(action)
      return ("  %s %s"):format(action.kind, messages.path(action.path))
    end, result.actions)
    messages.info(vim.list_extend({ "initialized" }, lines), result)
  end)
end

local function show_log()
  local lines = require("trop.log").lines()
  table.insert(lines, "Neovim's own log of it: " .. vim.lsp.get_log_path())
  messages.show("trop://log", lines)
end

local function restart()
  server.restart()
  server.when_ready(function(err)
    if err then
      return messages.error(err)
    end
    messages.info("the server was started again")
  end)
end

--- What is stored, at or below a folder or everywhere, if the server answers soon: nobody waits long for a completion.
---@param folder string?
---@return trop.Reservation[]
local function stored(folder)
  local _, result = server.execute_and_wait("trop.list", { folder = folder }, PATIENCE_MS)
  return result and result.reservations or {}
end

---@param reservations trop.Reservation[]
---@param field "tag"|"path"
---@return string[]
local function distinct(reservations, field)
  local values = {}
  for _, reservation in ipairs(reservations) do
    if reservation[field] then
      values[reservation[field]] = true
    end
  end
  return vim.fn.sort(vim.tbl_keys(values))
end

---@param lead string
---@param candidates string[]
---@return string[]
local function beginning_with(lead, candidates)
  return vim.tbl_filter(function(candidate)
    return vim.startswith(candidate, lead)
  end, candidates)
end

---@param lead string
---@return string[]
local function all_tags(lead)
  return beginning_with(lead, distinct(stored(), "tag"))
end

---@param lead string
---@return string[]
local function own_tags(lead)
  local folder = folders.of()
  if not folder then
    return {}
  end
  local own = vim.tbl_filter(function(reservation)
    return reservation.path == folder
  end, stored(folder))
  return beginning_with(lead, distinct(own, "tag"))
end

--- A path as it is typed behind :Trop.
---@param path string
---@return string
local function escaped(path)
  return (path:gsub("[\\ \t]", "\\%0"))
end

---@param lead string
---@return string[]
local function directories(lead)
  return vim.tbl_map(escaped, vim.fn.getcompletion(lead:gsub("\\(.)", "%1"), "dir"))
end

--- What has reservations, and may be gone by now, before what is there.
---@param lead string
---@return string[]
local function sources(lead)
  local known = vim.tbl_map(escaped, distinct(stored(), "path"))
  return vim.list_extend(beginning_with(lead, known), directories(lead))
end

---@class trop.Subcommand
---@field run fun(bang: boolean, ...: any)
---@field required integer how many arguments it needs
---@field complete (fun(lead: string): string[])[] what completes each argument; there are no more of them
---@field usage string

---@param run fun(...: string)
---@return fun(bang: boolean, ...: any)
local function without_bang(run)
  return function(_, ...)
    run(...)
  end
end

---@type table<string, trop.Subcommand>
local SUBCOMMANDS = {
  reserve = { run = without_bang(reserve), required = 0, complete = { all_tags }, usage = "reserve [tag]" },
  release = { run = release, required = 0, complete = { own_tags }, usage = "release [tag]" },
  migrate = { run = migrate, required = 2, complete = { sources, directories }, usage = "migrate {from} {to}" },
  list = { run = without_bang(list), required = 0, complete = {}, usage = "list" },
  ["list-projects"] = { run = without_bang(list_projects), required = 0, complete = {}, usage = "list-projects" },
  init = { run = without_bang(init), required = 0, complete = {}, usage = "init" },
  log = { run = without_bang(show_log), required = 0, complete = {}, usage = "log" },
  restart = { run = without_bang(restart), required = 0, complete = {}, usage = "restart" },
}

---@return string[]
local function names()
  return vim.fn.sort(vim.tbl_keys(SUBCOMMANDS))
end

--- Run `:Trop`.
---@param invocation { fargs: string[], bang: boolean }
function M.run(invocation)
  local arguments = vim.deepcopy(invocation.fargs)
  local name = table.remove(arguments, 1) or "reserve"
  local subcommand = SUBCOMMANDS[name]
  if not subcommand then
    return messages.usage(("there is no subcommand %s; there are %s"):format(name, table.concat(names(), ", ")))
  end
  if #arguments < subcommand.required or #arguments > #subcommand.complete then
    return messages.usage("usage: :Trop " .. subcommand.usage)
  end
  folders.forget()
  subcommand.run(invocation.bang, arguments[1], arguments[2])
end

--- What can stand where the cursor is.
---@param lead string the word so far
---@param line string the command line up to the cursor
---@return string[]
function M.complete(lead, line)
  local before = line:sub(1, #line - #lead):match("Trop!?%s+(.*)$") or ""
  local words = vim.split(vim.trim(before:gsub("\\.", "_")), "%s+", { trimempty = true })
  if #words == 0 then
    return beginning_with(lead, names())
  end
  local subcommand = SUBCOMMANDS[words[1]]
  local complete = subcommand and subcommand.complete[#words]
  -- What cannot be shown as it is cannot be typed, either.
  return vim.tbl_filter(function(candidate)
    return plain.text(candidate) == candidate
  end, complete and complete(lead) or {})
end

return M
