--- Calls of the server for the person at the keyboard, who is told what goes wrong.
local folders = require("trop.folders")
local messages = require("trop.messages")
local server = require("trop.server")

local M = {}

--- Execute a command; an error is told to the person, a result goes to the callback.
---@param command string
---@param argument table
---@param callback fun(result: table)
---@param on_error? fun(err: trop.Error) called instead of telling
function M.execute(command, argument, callback, on_error)
  server.execute(command, argument, nil, function(err, result)
    if result then
      callback(result)
    elseif err then
      (on_error or messages.error)(err)
    end
  end)
end

--- The folder that a subcommand is about. Where there is none, the person is told.
---@return string?
function M.here()
  local folder = folders.of()
  if not folder then
    messages.usage("no folder is open here. Open a file of a project, or change to its directory.")
  end
  return folder
end

return M
