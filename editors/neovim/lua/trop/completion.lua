--- What completes the arguments of `:Trop`.
local folders = require("trop.folders")
local server = require("trop.server")

local M = {}

local PATIENCE_MS = 2000

--- What is stored, at or below a folder or everywhere, if the server answers soon: nobody waits long for a completion.
---@param folder string?
---@return trop.Reservation[]
local function stored(folder)
  local found, after = {}, nil
  local until_ms = vim.uv.hrtime() / 1e6 + PATIENCE_MS
  repeat
    local left_ms = math.max(0, math.floor(until_ms - vim.uv.hrtime() / 1e6))
    local _, page = server.execute_and_wait("trop.list", { folder = folder, after = after }, left_ms)
    vim.list_extend(found, page and page.reservations or {})
    after = page and page.next
  until not after
  return found
end

---@param reservations trop.Reservation[]
---@param field "tag"|"path"
---@return string[]
local function distinct(reservations, field)
  local values = {}
  for _, reservation in ipairs(reservations) do
    if reservation[field] then
      values[reservation[field]] = true
    end
  end
  return vim.fn.sort(vim.tbl_keys(values))
end

--- Those that begin as what is typed.
---@param lead string
---@param candidates string[]
---@return string[]
function M.beginning_with(lead, candidates)
  return vim.tbl_filter(function(candidate)
    return vim.startswith(candidate, lead)
  end, candidates)
end

--- The tags of all reservations.
---@param lead string
---@return string[]
function M.all_tags(lead)
  return M.beginning_with(lead, distinct(stored(), "tag"))
end

--- The tags of the current folder.
---@param lead string
---@return string[]
function M.own_tags(lead)
  local folder = folders.of()
  if not folder then
    return {}
  end
  local own = vim.tbl_filter(function(reservation)
    return reservation.path == folder
  end, stored(folder))
  return M.beginning_with(lead, distinct(own, "tag"))
end

--- A path as it is typed behind :Trop.
---@param path string
---@return string
local function escaped(path)
  return (path:gsub("[\\ \t]", "\\%0"))
end

--- The directories that there are.
---@param lead string
---@return string[]
function M.directories(lead)
  return vim.tbl_map(escaped, vim.fn.getcompletion(lead:gsub("\\(.)", "%1"), "dir"))
end

--- What has reservations, and may be gone by now, before what is there.
---@param lead string
---@return string[]
function M.sources(lead)
  local known = vim.tbl_map(escaped, distinct(stored(), "path"))
  return vim.list_extend(M.beginning_with(lead, known), M.directories(lead))
end

--- The numbers of the operations that can be undone, the newest first.
---@param lead string
---@return string[]
function M.operations(lead)
  local _, result = server.execute_and_wait("trop.history", {}, PATIENCE_MS)
  local numbers = {}
  for _, operation in ipairs(result and result.operations or {}) do
    if operation.changed > 0 and not operation.undoneBy then
      table.insert(numbers, tostring(operation.id))
    end
  end
  return M.beginning_with(lead, numbers)
end

return M
