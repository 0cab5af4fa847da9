--- Giving ports up, after a question.
local call = require("trop.call")
local messages = require("trop.messages")

local M = {}

--- Release what an argument of `trop.release` is about.
---@param argument table
---@param bang boolean whether nothing is asked
function M.run(argument, bang)
  local function really()
    call.execute("trop.release", argument, function(result)
      if result.releasedCount == 0 then
        return messages.info("there is nothing to release", result)
      end
      messages.info(("released %s"):format(messages.ports(result.released)), result)
    end)
  end
  if bang then
    return really()
  end
  call.execute("trop.release", vim.tbl_extend("force", argument, { dryRun = true }), function(result)
    if result.releasedCount == 0 then
      return messages.info("there is nothing to release", result)
    end
    local question = "Release %s of %s?"
    messages.ask(
      question:format(messages.ports(result.released), messages.path(result.released[1].path)),
      "Release",
      really
    )
  end)
end

return M
