--- What is said to the person. Whatever is shown is plain text: a path or a tag in it adds no line and no control.
local log = require("trop.log")
local plain = require("trop.plain")
local window = require("trop.window")

local M = {}

local SHOWN_CONFLICTS = 20

--- As much of a line as fits on the command line: what does not would ask for a key.
---@param text string
---@param more? string what stands behind what was cut
---@return string
function M.fitting(text, more)
  local room = vim.o.columns * math.max(vim.o.cmdheight, 1) - 12
  if vim.fn.strdisplaywidth(text) <= room then
    return text
  end
  local behind = "…" .. (more or "")
  local kept = vim.fn.strcharpart(text, 0, math.max(room - vim.fn.strchars(behind), 0))
  while kept ~= "" and vim.fn.strdisplaywidth(kept .. behind) > room do
    kept = vim.fn.strcharpart(kept, 0, vim.fn.strchars(kept) - 1)
  end
  return kept .. behind
end

--- Whether what is said is shown on the command line, and by no plugin that has a window for it.
---@return boolean
local function is_on_command_line()
  return debug.getinfo(vim.notify, "S").source:match("^@vim/_") ~= nil
end

--- Say something: on the command line, on one line, so that it asks for no key. The whole of it is in the log.
---@param text string|string[] a line, or several
---@param level integer? one of vim.log.levels
function M.say(text, level)
  local lines = type(text) == "table" and text or { text }
  ---@cast lines string[]
  lines, level = vim.tbl_map(plain.text, lines), level or vim.log.levels.INFO
  for _, line in ipairs(lines) do
    log.add(line)
  end
  if not is_on_command_line() then
    vim.notify("trop: " .. table.concat(lines, "\n"), level, { title = "trop" })
    return
  end
  vim.notify(M.fitting("trop: " .. table.concat(lines, " - "), " (:Trop log)"), level)
end

---@type table<string, true>
local told = {}

--- Warn of something, once.
---@param lines string[]
function M.warn_once(lines)
  local key = table.concat(lines, "\n")
  if not told[key] then
    told[key] = true
    -- Not while a command is being carried out: without a command line, what is said then asks for a key.
    vim.schedule(function()
      M.say(lines, vim.log.levels.WARN)
    end)
  end
end

--- A path as people read it.
---@param path string
---@return string
function M.path(path)
  return vim.fn.fnamemodify(path, ":~")
end

--- Where a reservation stands, without its port.
---@param reservation { path: string, tag: string? }
---@return string
function M.place(reservation)
  local path = M.path(reservation.path)
  return reservation.tag and ("%s (%s)"):format(path, reservation.tag) or path
end

--- A reserved port, with its tag.
---@param reservation { port: integer, tag: string? }
---@return string
function M.port(reservation)
  return reservation.port .. (reservation.tag and (" (%s)"):format(reservation.tag) or "")
end

--- A reservation as a line, with what names it best first: the end may not be seen.
---@param reservation { path: string, tag: string?, port: integer }
---@return string
function M.line(reservation)
  return ("%s: %s"):format(M.port(reservation), M.path(reservation.path))
end

--- A number of reservations.
---@param count integer
---@return string
function M.counted(count)
  return count == 1 and "1 reservation" or ("%d reservations"):format(count)
end

--- How many ports are named one by one.
M.NAMED = 5

--- The first ports of reservations, with their tags, and how many more there are.
---@param reservations trop.Reservation[]
---@param count? integer of all of them, if not all are given
---@return string
function M.ports(reservations, count)
  count = count or #reservations
  local words = vim.tbl_map(M.port, vim.list_slice(reservations, 1, M.NAMED))
  local more = count > #words and (" and %d more"):format(count - #words) or ""
  return table.concat(words, ", ") .. more
end

--- Who uses a reserved port, and whose that is, such as `node (4242), own`; "-" where nobody does.
---@param reservation trop.Reservation
---@return string
function M.holder(reservation)
  local holder = reservation.holder
  if not holder then
    return reservation.occupied and "?" or "-"
  end
  local name = holder.name and ("%s (%d)"):format(holder.name, holder.pid) or tostring(holder.pid)
  local whose = holder.relation == "other" and "other: " .. M.path(holder.directory) or holder.relation
  return ("%s, %s"):format(name, whose)
end

--- Say each warning of a result.
---@param result? { warnings: string[]? }
function M.warnings(result)
  local warnings = result and result.warnings or {}
  if #warnings > 0 and is_on_command_line() then
    -- Two messages would ask for a key.
    M.say(warnings, vim.log.levels.WARN)
    return
  end
  for _, warning in ipairs(warnings) do
    M.say(warning, vim.log.levels.WARN)
  end
end

--- Say something, and each warning of a result.
---@param text string|string[] a line, or several
---@param result? { warnings: string[]? }
function M.info(text, result)
  local warnings = result and result.warnings or {}
  if #warnings == 0 or not is_on_command_line() then
    M.warnings(result)
    return M.say(text)
  end
  -- Two messages would ask for a key.
  local lines = type(text) == "table" and text or { text }
  ---@cast lines string[]
  M.say(vim.list_extend(vim.deepcopy(lines), warnings), vim.log.levels.WARN)
end

--- What keeps an operation from being undone, a line for each reservation that is in the way.
---@param operation integer
---@param conflicts { path: string, tag: string?, port: integer, reason: string }[]
---@return string[]
local function conflict_lines(operation, conflicts)
  local lines = { ("operation %d cannot be undone as a whole, so nothing was done:"):format(operation) }
  for index, conflict in ipairs(conflicts) do
    if index > SHOWN_CONFLICTS then
      table.insert(lines, ("… and %d more"):format(#conflicts - SHOWN_CONFLICTS))
      break
    end
    table.insert(lines, ("%s %s"):format(M.line(conflict), conflict.reason))
  end
  return lines
end

--- Say what went wrong, and what to do about it.
---@param err trop.Error
function M.error(err)
  local kind = err.data and err.data.kind
  -- The problems of a configuration are lines of the message; elsewhere a line feed is part of what a message quotes.
  local lines = kind == "config_error" and vim.split(err.message, "\n", { plain = true }) or { err.message }
  local conflicts = kind == "undo_conflict" and err.data.details.conflicts or {}
  if #conflicts > 0 then
    lines = conflict_lines(err.data.details.operation, conflicts)
  end
  table.insert(lines, err.data and err.data.hint)
  if #conflicts > 0 and is_on_command_line() then
    window.show("trop://conflicts", lines)
    return
  end
  M.say(lines, vim.log.levels.ERROR)
end

--- Say that a command line cannot be understood.
---@param text string
function M.usage(text)
  M.say(text, vim.log.levels.ERROR)
end

return M
