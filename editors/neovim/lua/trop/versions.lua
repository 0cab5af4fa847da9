--- Where the versions of Neovim differ in how a client speaks with its server.
local M = {}

--- Neovim 0.11 has methods where 0.10 has functions.
---@param client vim.lsp.Client
---@param name "request"|"notify"|"stop"
function M.call(client, name, ...)
  if vim.fn.has("nvim-0.11") == 1 then
    return client[name](client, ...)
  end
  return client[name](...)
end

--- What JSON-RPC gave, without its nulls. Neovim 0.10 leaves them away by itself, later versions have vim.NIL for them.
---@param value any
---@return any
function M.without_null(value)
  if value == vim.NIL then
    return nil
  end
  if type(value) == "table" then
    for key, entry in pairs(value) do
      value[key] = M.without_null(entry)
    end
  end
  return value
end

return M
