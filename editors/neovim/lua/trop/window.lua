--- Windows that show what is longer than a line. Whatever is shown is plain text, as in messages.
local plain = require("trop.plain")
local typing = require("trop.typing")

local M = {}

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
---@param height? integer lines of the window; if not given, as many as there are, up to a third of the screen
---@return integer buffer
function M.show_now(name, lines, height)
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
    vim.api.nvim_win_set_height(window, height or math.max(3, math.min(#lines, math.floor(vim.o.lines / 3))))
  end
  vim.api.nvim_set_current_win(window)
  return buffer
end

--- Show lines in a window of their own, which `q` closes; the same window the next time. It opens when nobody types.
---@param name string of the buffer
---@param lines string[]
function M.show(name, lines)
  typing.when_over(function()
    M.show_now(name, lines)
    -- Its lines are sentences.
    vim.wo[0][0].wrap, vim.wo[0][0].linebreak = true, true
  end)
end

--- Show rows in a window of their own, the first being the names of the columns.
---@param name string of the buffer
---@param rows string[][]
function M.show_table(name, rows)
  typing.when_over(function()
    M.show_now(name, table_of(rows))
  end)
end

return M
