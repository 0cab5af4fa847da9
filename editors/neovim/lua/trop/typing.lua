--- Whether somebody types. What comes in the middle of that would take the keys of a text for its own.
local M = {}

--- The modes in which keys are no part of a text or of a command: normal mode, also in a terminal; what Neovim itself
--- asks; and scripts, which nobody types.
local FREE = { "^n$", "^nt$", "^r", "^!", "^cv" }

--- For how long no key has to have been typed.
local PAUSE_MS = 500

---@type integer when a key was typed last, of those that may be meant for something else
local last = -PAUSE_MS

vim.on_key(function(_, typed)
  if typed ~= "" then
    last = vim.uv.now()
  end
end)

--- Take what was typed so far for what has called the plugin.
function M.forget()
  last = -PAUSE_MS
end

---@return boolean
local function is_going_on()
  local mode = vim.api.nvim_get_mode().mode
  return not vim.iter(FREE):any(function(pattern)
    return mode:match(pattern) ~= nil
  end)
end

--- Call when nobody types: at once, or else as soon as it is over, and has been for a moment. No window can be opened
--- beside the command-line window, so that what is typed there counts, in every mode.
---@param callback fun()
function M.when_over(callback)
  local in_command_window = vim.fn.getcmdwintype() ~= ""
  if not in_command_window and not is_going_on() then
    local left = last + PAUSE_MS - vim.uv.now()
    if left <= 0 then
      return callback()
    end
    return vim.defer_fn(function()
      M.when_over(callback)
    end, left)
  end
  vim.api.nvim_create_autocmd(in_command_window and "CmdwinLeave" or "ModeChanged", {
    pattern = in_command_window and "*" or "*:n*",
    once = true,
    callback = vim.schedule_wrap(function()
      M.when_over(callback)
    end),
  })
end

return M
