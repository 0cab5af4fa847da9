--- What is said to the person. Whatever is shown is plain text: a path or a tag in it adds no line and no control.
local log = require("trop.log")
local plain = require("trop.plain")

local M = {}

local SHOWN_CONFLICTS = 20

--- Lines that a question takes, with its choices and the lines of the windows around it.
local ROOM_OF_A_QUESTION = 10

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

--- Say something: on the command line, on one line, so that it asks for no key. What does not fit is in the log.
---@param text string|string[] a line, or several
---@param level integer? one of vim.log.levels
function M.say(text, level)
  local lines = type(text) == "table" and text or { text }
  ---@cast lines string[]
  lines, level = vim.tbl_map(plain.text, lines), level or vim.log.levels.INFO
  if not is_on_command_line() then
    vim.notify("trop: " .. table.concat(lines, "\n"), level, { title = "trop" })
    return
  end
  for _, line in ipairs(lines) do
    log.add(line)
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
    M.say(lines, vim.log.levels.WARN)
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
  local words = {}
  for _, reservation in ipairs(vim.list_slice(reservations, 1, M.NAMED)) do
    table.insert(words, reservation.port .. (reservation.tag and (" (%s)"):format(reservation.tag) or ""))
  end
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
  if #conflicts > 0 and is_on_command_line() then
    M.show("trop://conflicts", lines)
    return
  end
  M.say(lines, vim.log.levels.ERROR)
end

--- Say that a command line cannot be understood.
---@param text string
function M.usage(text)
  M.say(text, vim.log.levels.ERROR)
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
---@param most? integer lines of the window; a third of the screen if not given
---@return integer buffer
local function show(name, lines, most)
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
    vim.api.nvim_win_set_height(window, math.max(3, math.min(#lines, most or math.floor(vim.o.lines / 3))))
  end
  vim.api.nvim_set_current_win(window)
  return buffer
end

--- Call when nobody types: whatever comes in the middle of that would take the keys of a text for its own, and no
--- window can be opened beside the command-line window.
---@param callback fun()
local function when_nobody_types(callback)
  local in_command_window = vim.fn.getcmdwintype() ~= ""
  if not in_command_window and not vim.api.nvim_get_mode().mode:match("^[iRst]") then
    return callback()
  end
  vim.api.nvim_create_autocmd(in_command_window and "CmdwinLeave" or "ModeChanged", {
    pattern = in_command_window and "*" or "*:n*",
    once = true,
    callback = vim.schedule_wrap(function()
      when_nobody_types(callback)
    end),
  })
end

--- Show lines in a window of their own, which `q` closes; the same window the next time. It opens when nobody types.
---@param name string of the buffer
---@param lines string[]
function M.show(name, lines)
  when_nobody_types(function()
    show(name, lines)
  end)
end

--- Show rows in a window of their own, the first being the names of the columns.
---@param name string of the buffer
---@param rows string[][]
function M.show_table(name, rows)
  M.show(name, table_of(rows))
end

--- Lines as far as there is room for them, and how many more there are.
---@param lines string[]
---@param room integer
---@return string[]
local function cut(lines, room)
  if #lines <= room then
    return lines
  end
  return vim.list_extend(vim.list_slice(lines, 1, room - 1), { ("… and %d more"):format(#lines - room + 1) })
end

--- Ask whether to go on; anything but the one answer means no.
---@param question string
---@param yes string
---@param callback fun() called for yes
---@param lines? string[] what the question is about, shown until it is answered
local function ask(question, yes, callback, lines)
  local room = math.max(3, vim.o.lines - ROOM_OF_A_QUESTION)
  local preview = lines and show("trop://preview", cut(lines, room), room)
  local cmdheight = vim.o.cmdheight
  if cmdheight == 0 then
    -- Neovim shows no question there.
    vim.o.cmdheight = 1
  end
  vim.cmd.redraw()
  vim.ui.select({ yes, "Leave" }, { prompt = plain.text(question), kind = "trop" }, function(choice)
    vim.o.cmdheight = cmdheight
    if preview and vim.api.nvim_buf_is_valid(preview) then
      vim.api.nvim_buf_delete(preview, { force = true })
    end
    if choice == yes then
      callback()
    end
  end)
end

--- Ask as soon as nobody types; see there.
---@param question string
---@param yes string
---@param callback fun() called for yes
---@param lines? string[] what the question is about, shown until it is answered
function M.ask(question, yes, callback, lines)
  when_nobody_types(function()
    ask(question, yes, callback, lines)
  end)
end

return M
