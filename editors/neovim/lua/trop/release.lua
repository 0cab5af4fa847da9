--- Giving ports up, after a question.
local call = require("trop.call")
local messages = require("trop.messages")
local planned = require("trop.planned")
local question = require("trop.question")

local M = {}

--- Release what an argument of `trop.release` is about.
---@param argument table
---@param bang boolean whether nothing is asked
function M.run(argument, bang)
  local function done(result)
    if result.releasedCount == 0 then
      return messages.info("there is nothing to release", result)
    end
    messages.info(("released %s"):format(messages.ports(result.released, result.releasedCount)), result)
  end
  if bang then
    return call.execute("trop.release", argument, done)
  end
  planned.run("trop.release", argument, function(result, agreed)
    if result.releasedCount == 0 then
      return done(result)
    end
    local ports = messages.ports(result.released, result.releasedCount)
    local wording = ("Release %s of %s?"):format(ports, messages.path(result.released[1].path))
    -- A few of them stand in the question itself.
    local lines = result.releasedCount > messages.NAMED and vim.tbl_map(messages.line, result.released) or nil
    question.ask(wording, "Release", agreed, lines)
  end, done)
end

return M
