--- Doing what a question named: a dry run says what would happen, and its plan holds that.
local call = require("trop.call")
local messages = require("trop.messages")

local M = {}

--- Ask with what a command would do, and then do exactly that. What has changed while the question stood there, or
--- where it stood there for too long, is asked anew.
---@param command string
---@param argument table
---@param ask fun(planned: table, agreed: fun())
---@param done fun(result: table)
---@param on_error? fun(err: trop.Error) what is said of an error of the dry run, if not the error itself
function M.run(command, argument, ask, done, on_error)
  local function really(plan)
    call.execute(command, vim.tbl_extend("force", argument, { plan = plan }), done, function(err)
      if err.data and (err.data.kind == "plan_changed" or err.data.kind == "plan_expired") then
        return M.run(command, argument, ask, done, on_error)
      end
      messages.error(err)
    end)
  end
  call.execute(command, vim.tbl_extend("force", argument, { dryRun = true }), function(planned)
    ask(planned, function()
      really(planned.plan and planned.plan.token)
    end)
  end, on_error)
end

return M
