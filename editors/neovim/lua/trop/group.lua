--- The services of a project's file, and the ports that they get.
local call = require("trop.call")
local messages = require("trop.messages")
local question = require("trop.question")
local reserved = require("trop.reserved")

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

--- Ask where services would give ports up for others, and say which; then go on. What has changed while the question
--- stood there is asked anew.
---@param command string
---@param argument table
---@param go_on fun()
---@param agreed? string[] what was answered already
local function ask_what_goes(command, argument, go_on, agreed)
  call.execute(command, vim.tbl_extend("force", argument, { dryRun = true }), function(result)
    local _, first = next(result.group)
    if not first then
      return go_on()
    end
    call.execute("trop.list", { path = first.path }, function(stored)
      local lost, lines = {}, {}
      for _, row in ipairs(stored.reservations) do
        local after = row.path == first.path and row.tag and result.group[row.tag]
        if after and after.port ~= row.port then
          table.insert(lost, row)
          table.insert(lines, ("given up: %s for %d"):format(messages.port(row), after.port))
        end
      end
      if #lost == 0 or vim.deep_equal(lines, agreed) then
        return go_on()
      end
      local wording = ("Give up %s of %s for others?"):format(messages.ports(lost), messages.path(first.path))
      question.ask(wording, "Reserve others", function()
        ask_what_goes(command, argument, go_on, lines)
      end, lines)
    end)
  end)
end

--- Reserve the services of a directory's file, as it is seen, and say what they have. Where they are to be laid out
--- anew, what goes is asked about.
---@param directory string
---@param command "trop.autoreserve"|"trop.reserveGroup"
---@param argument table
function M.reserve(directory, command, argument)
  local problem = save(directory)
  if problem then
    return messages.usage("nothing was reserved, for the file could not be saved: " .. problem)
  end
  local function reserve()
    call.execute(command, argument, function(result)
      local tags = vim.tbl_keys(result.group)
      -- Which comes first in the file, a table does not tell; as a rule its port is the lower one.
      table.sort(tags, function(one, other)
        return result.group[one].port < result.group[other].port
      end)
      local words = vim.tbl_map(function(tag)
        return ("%s %d"):format(tag, result.group[tag].port)
      end, tags)
      local text = ("services (%s): %s"):format(result.outcome, table.concat(words, ", "))
      reserved.say(text, result, vim.tbl_values(result.group))
    end)
  end
  if argument.force then
    return ask_what_goes(command, argument, reserve)
  end
  reserve()
end

return M
