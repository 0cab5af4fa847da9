--- Questions, with what they are about in a window above them.
local plain = require("trop.plain")
local typing = require("trop.typing")
local window = require("trop.window")

local M = {}

--- Rows of the screen that a question takes beside its own text: its two choices, what to type, and a line to type on.
local CHOICES = 4

--- Rows below the window that are covered first: its status line, and the command line.
local BELOW = 2

--- Rows that no window's lines can take: those, and another window of one line with its status line.
local OTHERS = 4

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

--- Show what a question is about, all that there is room for, above the rows that the question will cover.
---@param question string
---@param lines string[]
---@return integer buffer
local function preview(question, lines)
  local covered = math.ceil(vim.fn.strdisplaywidth(question) / vim.o.columns) + CHOICES - BELOW
  local shown = cut(lines, math.max(3, vim.o.lines - OTHERS - covered))
  return window.show_now("trop://preview", shown, #shown + covered)
end

---@param question string
---@param yes string
---@param callback fun() called for yes
---@param lines? string[] what the question is about, shown until it is answered
local function ask(question, yes, callback, lines)
  question = plain.text(question)
  local about = lines and preview(question, lines)
  local cmdheight = vim.o.cmdheight
  if cmdheight == 0 then
    -- Neovim shows no question there.
    vim.o.cmdheight = 1
  end
  vim.cmd.redraw()
  local ok, problem = pcall(vim.ui.select, { yes, "Leave" }, { prompt = question, kind = "trop" }, function(choice)
    if about and vim.api.nvim_buf_is_valid(about) then
      vim.api.nvim_buf_delete(about, { force = true })
    end
    if choice == yes then
      callback()
    end
  end)
  vim.o.cmdheight = cmdheight
  if not ok then
    error(problem, 0)
  end
end

--- Ask whether to go on, as soon as nobody types; anything but the one answer means no.
---@param question string
---@param yes string
---@param callback fun() called for yes
---@param lines? string[] what the question is about, shown until it is answered
function M.ask(question, yes, callback, lines)
  typing.when_over(function()
    ask(question, yes, callback, lines)
  end)
end

return M
