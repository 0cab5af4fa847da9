--- What is said to the person. Whatever is shown is plain text: a path or a tag in it adds no line and no control.
local plain = require("trop.plain")

local M = {}

---@param text string|string[] a line, or several
---@param level integer? one of vim.log.levels
local function say(text, level)
  local lines = type(text) == "table" and text or { text }
  ---@cast lines string[]
  local shown = table.concat(vim.tbl_map(plain.text, lines), "\n")
  vim.notify("trop: " .. shown, level or vim.log.levels.INFO, { title = "trop" })
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

--- Say something, and each warning of a result.
---@param text string|string[] a line, or several
---@param result? { warnings: string[]? }
function M.info(text, result)
  for _, warning in ipairs(result and result.warnings or {}) do
    say(warning, vim.log.levels.WARN)
  end
  say(text)
end

--- Say what went wrong, and what to do about it.
---@param err trop.Error
function M.error(err)
  local kind = err.data and err.data.kind
  -- The problems of a configuration are lines of the message; elsewhere a line feed is part of what a message quotes.
  local lines = kind == "config_error" and vim.split(err.message, "\n", { plain = true }) or { err.message }
  table.insert(lines, err.data and err.data.hint)
  say(lines, vim.log.levels.ERROR)
end

--- Say that a command line cannot be understood.
---@param text string
function M.usage(text)
  say(text, vim.log.levels.ERROR)
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
