--- The buffers of trop.yaml and trop.local.yaml: the server is attached to them, and to no others.
local server = require("trop.server")

local M = {}

--- Whether the user has Neovim itself start a server for these buffers: two would say everything twice.
---@return boolean
local function is_enabled()
  if vim.lsp.is_enabled then
    return vim.lsp.is_enabled("trop")
  end
  -- Neovim 0.11 can enable a server, and tells of it in no other place.
  return (rawget(vim.lsp, "_enabled_configs") or {}).trop ~= nil
end

--- Attach the server to a buffer once it is ready, and again whenever it was started anew. Starts it if need be. That
--- there is none is told once.
---@param bufnr integer
function M.attach(bufnr)
  if vim.bo[bufnr].buftype ~= "" or is_enabled() then
    return
  end
  server.add_document(bufnr)
  server.ensure()
end

return M
