--- What the server says of itself, without being asked.
local log = require("trop.log")
local messages = require("trop.messages")
local plain = require("trop.plain")
local typing = require("trop.typing")
local versions = require("trop.versions")

local M = {}

--- What the server says to a person. It puts a character of no width into what VS Code would take for a link, which
--- Neovim would show as <2060>.
---@param message string
---@return string
local function said(message)
  return (plain.text(message):gsub("%]\226\129\160%(", "]("))
end

--- Show what happened by itself, for as long as nothing else is shown, and never in the way.
---@param message string
local function quietly(message)
  vim.api.nvim_echo({ { messages.fitting("trop: " .. message) } }, false, {})
end

--- Wait, in the coroutine that Neovim answers a request in, until nobody types.
local function wait_for_typing()
  local request, is_main = coroutine.running()
  if not request or is_main then
    return
  end
  local is_over, waits = false, false
  typing.when_over(function()
    is_over = true
    if waits then
      coroutine.resume(request)
    end
  end)
  if not is_over then
    waits = true
    coroutine.yield()
  end
end

--- What hears the server.
---@param changed fun(reservations: trop.Reservation[]) the open folders' reservations are these now
---@return table<string, lsp.Handler>
function M.handlers(changed)
  return {
    ["trop/reservationsChanged"] = function(_, params)
      changed(versions.without_null(params.reservations) or {})
    end,
    ["trop/announcement"] = function(_, params)
      local message = said(params.message)
      log.add(message)
      quietly(message)
    end,
    ["window/logMessage"] = function(_, params)
      log.add(params.message)
    end,
    ["window/showMessage"] = function(_, params)
      local message = said(params.message)
      local level = ({ vim.log.levels.ERROR, vim.log.levels.WARN })[params.type] or vim.log.levels.INFO
      messages.say(message, level)
    end,
    ["workspace/inlayHint/refresh"] = function(err, params, context, ...)
      if vim.fn.has("nvim-0.11") == 1 then
        return vim.lsp.handlers["workspace/inlayHint/refresh"](err, params, context, ...)
      end
      -- Neovim 0.10 asks for the hints, and draws them only in lines that have changed since.
      for _, bufnr in ipairs(vim.lsp.get_buffers_by_client_id(context.client_id)) do
        if vim.lsp.inlay_hint.is_enabled({ bufnr = bufnr }) then
          vim.lsp.inlay_hint.enable(false, { bufnr = bufnr })
          vim.lsp.inlay_hint.enable(true, { bufnr = bufnr })
        end
      end
      return vim.NIL
    end,
    ["window/showMessageRequest"] = function(err, params, ...)
      params.message = said(params.message)
      wait_for_typing()
      return vim.lsp.handlers["window/showMessageRequest"](err, params, ...)
    end,
  }
end

return M
