--- What the server says and what becomes of it, for `:Trop log`.
local plain = require("trop.plain")

local M = {}

local LONGEST = 1000

---@type string[]
local lines = {}

--- Note something; a text of several lines becomes several entries. The oldest of more than 1,000 go.
---@param text string
function M.add(text)
  for _, line in ipairs(vim.split(vim.trim(text), "\n", { plain = true })) do
    table.insert(lines, os.date("%H:%M:%S ") .. plain.text(line))
  end
  while #lines > LONGEST do
    table.remove(lines, 1)
  end
end

--- Everything that was noted, the oldest first.
---@return string[]
function M.lines()
  return vim.deepcopy(lines)
end

return M
