--- What is said to the person. Whatever is shown is plain text: a path or a tag in it adds no line and no control.
local log = require("trop.log")
local plain = require("trop.plain")

local M = {}

local SHOWN_CONFLICTS = 20

---@param text string|string[] a line, or several
---@param level integer? one of vim.log.levels
local function say(text, level)
  local lines = type(text) == "table" and text or { text }
  ---@cast lines string[]
  local shown = table.concat(vim.tbl_map(plain.text, lines), "\n")
  vim.notify("trop: " .. shown, level or vim.log.levels.INFO, { title = "trop" })
end

--- As much of a line as fits on the command line: what does not would ask for a key.
---@param text string
---@return string
function M.fitting(text)
  local room = vim.o.columns * math.max(vim.o.cmdheight, 1) - 12
  if vim.fn.strdisplaywidth(text) <= room then
    return text
  end
  return vim.fn.strcharpart(text, 0, math.max(room - 1, 0)) .. "…"
end

--- Whether what is said is shown on the command line, and by no plugin that has a window for it.
---@return boolean
local function is_on_command_line()
  return debug.getinfo(vim.notify, "S").source:match("^@vim/_") ~= nil
end

--- Say on one line what was done, so that it asks for no key. What did not fit is in the log.
---@param text string
local function say_done(text)
  if not is_on_command_line() then
    return say(text)
  end
  local line = "trop: " .. plain.text(text)
  log.add(text)
  vim.notify(M.fitting(line), vim.log.levels.INFO)
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

--- A number of reservations.
---@param count integer
---@return string
function M.counted(count)
  return count == 1 and "1 reservation" or ("%d reservations"):format(count)
end

--- The first ports of reservations, with their tags.
---@param reservations trop.Reservation[]
---@return string
function M.ports(reservations)
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
  for _, warning in ipairs(result and result.warnings or {}) do
    say(warning, vim.log.levels.WARN)
  end
end

--- Say something, and each warning of a result.
---@param text string|string[] a line, or several
---@param result? { warnings: string[]? }
function M.info(text, result)
  M.warnings(result)
  if type(text) == "string" then
    return say_done(text)
  end
  say(text)
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
    table.insert(lines, ("%d: %s %s"):format(conflict.port, M.place(conflict), conflict.reason))
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
  say(lines, vim.log.levels.ERROR)
end

--- Say that a command line cannot be understood.
---@param text string
function M.usage(text)
  say(text, vim.log.levels.ERROR)
end

--- Rows as lines, with columns of one width.
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

--- Show lines in a window of their own, which `q` closes; the same window the next time.
---@param name string of the buffer
---@param lines string[]
---@return integer buffer
function M.show(name, lines)
  local buffer = vim.fn.bufnr("^" .. name .. "$")
  if buffer == -1 then
    buffer = vim.api.nvim_create_buf(false, true)
    vim.api.nvim_buf_set_name(buffer, name)
    vim.bo[buffer].bufhidden = "wipe"
    vim.keymap.set("n", "q", "<cmd>close<cr>", { buffer = buffer, desc = "Close" })
  end
  vim.bo[buffer].modifiable = true
  vim.api.nvim_buf_set_lines(buffer, 0, -1, true, vim.tbl_map(plain.text, lines))
  vim.bo[buffer].modifiable = false
  local window = vim.fn.bufwinid(buffer)
  if window == -1 then
    vim.cmd("botright split")
    window = vim.api.nvim_get_current_win()
    vim.api.nvim_win_set_buf(window, buffer)
    vim.wo[window][0].wrap = false
    vim.api.nvim_win_set_height(window, math.max(3, math.min(#lines, math.floor(vim.o.lines / 3))))
  end
  vim.api.nvim_set_current_win(window)
  return buffer
end

--- Show rows in a window of their own, the first being the names of the columns.
---@param name string of the buffer
---@param rows string[][]
function M.show_table(name, rows)
  M.show(name, table_of(rows))
end

--- Ask whether to go on; anything but the one answer means no.
---@param question string
---@param yes string
---@param callback fun() called for yes
---@param lines? string[] what the question is about, shown until it is answered
function M.ask(question, yes, callback, lines)
  local preview = lines and M.show("trop://preview", lines)
  if preview then
    vim.cmd.redraw()
  end
  vim.ui.select({ yes, "Leave" }, { prompt = plain.text(question), kind = "trop" }, function(choice)
    if preview and vim.api.nvim_buf_is_valid(preview) then
      vim.api.nvim_buf_delete(preview, { force = true })
    end
    if choice == yes then
      callback()
    end
  end)
end

return M
