--- The services of a project's file, and the ports that they get.
local call = require("trop.call")
local messages = require("trop.messages")

local M = {}

local NAMES = { ["trop.yaml"] = true, ["trop.local.yaml"] = true }

--- Save what is open and changed of the project's files that count in a directory, its own and those above: the server
--- reads them as they are saved, and what is reserved is what is seen.
---@param directory string
---@return string? problem why one could not be saved
local function save(directory)
  for _, bufnr in ipairs(vim.api.nvim_list_bufs()) do
    local name = vim.api.nvim_buf_get_name(bufnr)
    local above = vim.fs.dirname(name):gsub("/?$", "/")
    local counts = NAMES[vim.fs.basename(name)] and vim.startswith(directory .. "/", above)
    if vim.bo[bufnr].modified and vim.bo[bufnr].buftype == "" and counts then
      local ok, problem = pcall(vim.api.nvim_buf_call, bufnr, function()
        vim.cmd("silent write")
      end)
      if not ok then
        return tostring(problem)
      end
      if vim.bo[bufnr].modified then
        return "it was not written"
      end
    end
  end
end

--- Reserve the services of a directory's file, as it is seen, and say what they have.
---@param directory string
---@param command "trop.autoreserve"|"trop.reserveGroup"
---@param argument table
function M.reserve(directory, command, argument)
  local problem = save(directory)
  if problem then
    return messages.usage("nothing was reserved, for the file could not be saved: " .. problem)
  end
  call.execute(command, argument, function(result)
    local words = vim.tbl_map(function(tag)
      return ("%s %d"):format(tag, result.group[tag].port)
    end, vim.fn.sort(vim.tbl_keys(result.group)))
    messages.info(("services (%s): %s"):format(result.outcome, table.concat(words, ", ")), result)
  end)
end

return M
