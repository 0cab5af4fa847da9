--- The services of a project's file, and the ports that they get.
local call = require("trop.call")
local messages = require("trop.messages")
local question = require("trop.question")
local reserved = require("trop.reserved")

local M = {}

local NAMES = { ["trop.yaml"] = true, ["trop.local.yaml"] = true }

--- Write a buffer; what kept it from that, if anything did.
---@param bufnr integer
---@return string? problem
local function write(bufnr)
  local ok, problem = pcall(vim.api.nvim_buf_call, bufnr, function()
    vim.cmd("silent write")
  end)
  if ok and vim.bo[bufnr].modified then
    problem = "it was not written"
  elseif ok then
    return nil
  end
  return "the file could not be saved: " .. tostring(problem)
end

--- Have a buffer show its file as it is on disk by now; what is to be said where it did not.
---@param bufnr integer
---@return string? problem
local function look_again(bufnr)
  local before = vim.b[bufnr].changedtick
  vim.cmd("silent! checktime " .. bufnr)
  if vim.b[bufnr].changedtick ~= before then
    return ("%s has changed on disk, and is shown now as it is"):format(vim.api.nvim_buf_get_name(bufnr))
  end
end

--- The buffers of a project's files, of all directories or of one.
---@param directory? string
---@return integer[]
local function buffers(directory)
  local real = directory and (vim.uv.fs_realpath(directory) or directory)
  return vim.tbl_filter(function(bufnr)
    local name = vim.api.nvim_buf_get_name(bufnr)
    local is_file = vim.api.nvim_buf_is_loaded(bufnr) and vim.bo[bufnr].buftype == ""
    return is_file
      and NAMES[vim.fs.basename(name)]
      and (not directory or vim.uv.fs_realpath(vim.fs.dirname(name)) == real)
  end, vim.api.nvim_list_bufs())
end

--- See to it that what is reserved is what is seen: of the project's files in the first of some directories that has
--- any, what is open and changed is saved, as the server reads them from the disk.
---@param directories string[] the nearest first
---@return string? problem why that is not so
local function see_to(directories)
  for _, directory in ipairs(directories) do
    local is_nearest = false
    for _, bufnr in ipairs(buffers(directory)) do
      is_nearest = is_nearest or vim.bo[bufnr].modified
      local problem = (vim.bo[bufnr].modified and write or look_again)(bufnr)
      if problem then
        return problem
      end
    end
    if is_nearest then
      return nil
    end
  end
end

--- The same, and whoever is at the keyboard is told where nothing can be reserved for that.
---@param directories string[] the nearest first
---@return boolean
function M.is_seen(directories)
  local problem = see_to(directories)
  if problem then
    messages.usage("nothing was reserved, for " .. problem)
  end
  return problem == nil
end

--- Go on once that is so of the files that count in a folder, which the server knows.
---@param folder string
---@param go_on fun()
function M.when_seen(folder, go_on)
  if #buffers() == 0 then
    return go_on()
  end
  call.execute("trop.showPath", { folder = folder }, function(found)
    if M.is_seen(found.configDirectories) then
      go_on()
    end
  end)
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

--- Reserve the services of a directory's file, which `is_seen`, and say what they have. Where they are to be
--- laid out anew, what goes is asked about.
---@param command "trop.autoreserve"|"trop.reserveGroup"
---@param argument table
function M.reserve(command, argument)
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
