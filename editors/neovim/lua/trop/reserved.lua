--- Saying what was reserved, and what is to be known before somebody uses it.
local call = require("trop.call")
local messages = require("trop.messages")

local M = {}

--- Another directory's programs that are on ports.
---@param listed trop.Reservation[]
---@param ports table<integer, true>
---@return string[]
local function squatters(listed, ports)
  local lines = {}
  for _, row in ipairs(listed) do
    if ports[row.port] and row.holder and row.holder.relation == "other" then
      table.insert(lines, ("on %s: %s"):format(messages.port(row), messages.holder(row)))
    end
  end
  return lines
end

--- Say it, with the warnings of the result, and who else is on the ports now.
---@param text string
---@param result { warnings: string[]? }
---@param reserved trop.Reservation[] of one directory
function M.say(text, result, reserved)
  local ports = {}
  for _, row in ipairs(reserved) do
    ports[row.port] = true
  end
  local function say(more)
    messages.info(text, { warnings = vim.list_extend(vim.deepcopy(result.warnings or {}), more) })
  end
  if #reserved == 0 then
    return say({})
  end
  call.execute("trop.list", { path = reserved[1].path, includeOccupancy = true }, function(listed)
    say(squatters(listed.reservations, ports))
  end, function()
    say({}) -- What was reserved is reserved, whoever is on it.
  end)
end

return M
