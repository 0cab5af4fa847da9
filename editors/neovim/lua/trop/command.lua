--- `:Trop` and its subcommands.
local call = require("trop.call")
local completion = require("trop.completion")
local folders = require("trop.folders")
local group = require("trop.group")
local messages = require("trop.messages")
local past = require("trop.past")
local plain = require("trop.plain")
local planned = require("trop.planned")
local question = require("trop.question")
local release = require("trop.release")
local reserved = require("trop.reserved")
local server = require("trop.server")
local typing = require("trop.typing")
local window = require("trop.window")

local M = {}

--- An argument as an absolute path: the editor's working directory need not be the server's.
---@param path string
---@return string
local function absolute(path)
  -- A $ is a letter of a name, as the completion offers it.
  return vim.fn.fnamemodify(vim.fs.normalize(path, { expand_env = false }), ":p")
end

---@param tag string?
local function reserve(tag)
  local folder = call.here()
  if not folder then
    return
  end
  group.when_seen(folder, function()
    server.open(folder)
    call.execute("trop.reserve", { folder = folder, tag = tag }, function(result)
      local reservation = result.reservation
      reserved.say(("port %d for %s"):format(reservation.port, messages.place(reservation)), result, { reservation })
    end)
  end)
end

local function services()
  local folder = call.here()
  if not folder then
    return
  end
  -- Before it is opened, for which the server may reserve what the file says.
  group.when_seen(folder, function()
    server.open(folder)
    group.reserve("trop.autoreserve", { folder = folder })
  end)
end

---@param bang boolean
---@param tag string?
local function release_here(bang, tag)
  local folder = call.here()
  if not folder then
    return
  end
  -- It is not opened: a folder that opens may get a port, and that would be one more to release.
  release.run({ folder = folder, tag = tag, allowUnrelatedPath = true }, bang)
end

--- What moves, and what is removed for it, as far as a question has room for it.
---@param result trop.MigrateResult
---@return string
local function wording(result)
  local moves = vim.tbl_map(function(move)
    return { port = move.port, tag = move.tag }
  end, result.migrated)
  local from, to = messages.path(result.from), messages.path(result.to)
  local parts = { ("Migrate %s from %s to %s"):format(messages.ports(moves, result.migratedCount), from, to) }
  if result.overwrittenCount > 0 then
    local lost = messages.ports(result.overwritten, result.overwrittenCount)
    table.insert(parts, ("remove %s in the way"):format(lost))
  end
  return table.concat(parts, " and ") .. "?"
end

---@param result trop.MigrateResult
---@return string[]
local function moves_in_words(result)
  -- What is lost comes first: there may be no room for all.
  local lines = vim.tbl_map(function(reservation)
    return "in the way: " .. messages.line(reservation)
  end, result.overwritten)
  for _, move in ipairs(result.migrated) do
    local from = messages.line({ path = move.from, tag = move.tag, port = move.port })
    table.insert(lines, ("%s -> %s"):format(from, messages.path(move.to)))
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
  local function done(result)
    if result.migratedCount == 0 then
      return messages.info("there is nothing to migrate", result)
    end
    local moved = messages.counted(result.migratedCount)
    messages.info(("migrated %s to %s"):format(moved, messages.path(result.to)), result)
  end
  local function forced()
    return vim.tbl_extend("force", argument, { force = true })
  end
  if bang then
    return call.execute("trop.migrate", forced(), done)
  end
  local function asking(yes)
    return function(result, agreed)
      if result.migratedCount == 0 then
        return done(result)
      end
      question.ask(wording(result), yes, agreed, moves_in_words(result))
    end
  end
  planned.run("trop.migrate", argument, asking("Migrate"), done, function(err)
    if err.data and err.data.kind == "reservation_conflict" then
      return planned.run("trop.migrate", forced(), asking("Overwrite"), done)
    end
    messages.error(err)
  end)
end

local function list()
  local rows = { { "PORT", "PATH", "TAG", "PROJECT", "TASK", "IN USE BY" } }
  local function page(after)
    call.execute("trop.list", { after = after, includeOccupancy = true }, function(result)
      for _, reservation in ipairs(result.reservations) do
        table.insert(rows, {
          tostring(reservation.port),
          messages.path(reservation.path),
          reservation.tag or "-",
          reservation.project or "-",
          reservation.task or "-",
          messages.holder(reservation),
        })
      end
      if result.next then
        return page(result.next)
      end
      if #rows == 1 then
        return messages.info("nothing is reserved", result)
      end
      window.show_table("trop://reservations", rows)
    end)
  end
  page(nil)
end

local function list_projects()
  call.execute("trop.listProjects", {}, function(result)
    if #result.projects == 0 then
      return messages.info("there are no projects", result)
    end
    messages.warnings(result)
    window.show("trop://projects", result.projects)
  end)
end

local function init()
  call.execute("trop.init", {}, function(result)
    if #result.actions == 0 then
      return messages.info(("%s is there already"):format(messages.path(result.databasePath)), result)
    end
    messages.info(("initialized %s"):format(messages.path(result.dataDir)), result)
  end)
end

local function show_log()
  local lines = require("trop.log").lines()
  table.insert(lines, "Neovim's own log of it: " .. vim.lsp.get_log_path())
  window.show("trop://log", lines)
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
  reserve = { run = without_bang(reserve), required = 0, complete = { completion.all_tags }, usage = "reserve [tag]" },
  services = { run = without_bang(services), required = 0, complete = {}, usage = "services" },
  release = { run = release_here, required = 0, complete = { completion.own_tags }, usage = "release [tag]" },
  migrate = {
    run = migrate,
    required = 2,
    complete = { completion.sources, completion.directories },
    usage = "migrate {from} {to}",
  },
  list = { run = without_bang(list), required = 0, complete = {}, usage = "list" },
  ["list-projects"] = { run = without_bang(list_projects), required = 0, complete = {}, usage = "list-projects" },
  history = { run = without_bang(past.history), required = 0, complete = {}, usage = "history" },
  undo = { run = past.undo, required = 0, complete = { completion.operations }, usage = "undo [number]" },
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
  typing.forget()
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
    return completion.beginning_with(lead, names())
  end
  local subcommand = SUBCOMMANDS[words[1]]
  local complete = subcommand and subcommand.complete[#words]
  -- What cannot be shown as it is cannot be typed, either.
  return vim.tbl_filter(function(candidate)
    return plain.text(candidate) == candidate
  end, complete and complete(lead) or {})
end

return M
