--- What is reserved for the open folders, and the text that statuslines show of it.
local folders = require("trop.folders")
local plain = require("trop.plain")
local server = require("trop.server")

local M = {}

---@type table<string, trop.Reservation[]> the open folders' reservations, by their paths
local reservations = {}
---@type table<string, string> texts, by path; made from the above when they are asked for
local texts = {}
---@type table<string, boolean> the folders that were asked to be opened
local wanted = {}
--- How often the picture was replaced as a whole: an answer that was on its way meanwhile may be older than it.
local replaced = 0

local function show()
  texts = {}
  vim.cmd("redrawstatus!")
  vim.api.nvim_exec_autocmds("User", { pattern = "TropChanged", modeline = false })
end

--- Take up what a call has just reserved: the server tells of it a moment later, and a statusline may ask before.
---@param reserved trop.Reservation[]
function M.add(reserved)
  replaced = replaced + 1
  for _, reservation in ipairs(reserved) do
    local others = vim.tbl_filter(function(other)
      return other.tag ~= reservation.tag
    end, reservations[reservation.path] or {})
    table.insert(others, reservation)
    table.sort(others, function(one, other)
      return (one.tag or "") < (other.tag or "")
    end)
    reservations[reservation.path] = others
  end
  show()
end

--- Ask for what is reserved for a folder, until the answer is the latest that is known.
---@param path string
local function look(path)
  local before = replaced
  server.execute("trop.list", { folder = path, limit = 100 }, nil, function(err, result)
    if err or not result then
      require("trop.log").add(("looking at %s: %s"):format(path, err and err.message or ""))
      return
    end
    if before ~= replaced then
      return look(path)
    end
    reservations[path] = vim.tbl_filter(function(reservation)
      return reservation.path == path
    end, result.reservations)
    show()
  end)
end

server.listeners = {
  ready = function()
    for path in pairs(wanted) do
      look(path)
    end
  end,
  changed = function(current)
    replaced = replaced + 1
    reservations = {}
    for _, reservation in ipairs(current) do
      local same = reservations[reservation.path] or {}
      reservations[reservation.path] = vim.list_extend(same, { reservation })
    end
    show()
  end,
  ended = function()
    reservations = {}
    show()
  end,
}

--- Open a folder once, not before the caller has returned: it may be the drawing of a statusline.
---@param folder string
local function want(folder)
  if wanted[folder] then
    return
  end
  wanted[folder] = true
  vim.schedule(function()
    server.open(folder)
    if server.client() then
      return look(folder)
    end
    server.ensure()
  end)
end

---@param path string
---@return string
local function text_of(path)
  local words = {}
  for _, reservation in ipairs(reservations[path] or {}) do
    local tag = reservation.tag and reservation.tag .. ":" or ""
    table.insert(words, tag .. reservation.port)
  end
  return plain.in_statusline(table.concat(words, " "))
end

--- The ports of a buffer's folder, such as `5000 api:5001`; "" while that is not known, and where there are none.
---@param bufnr integer?
---@return string
function M.text(bufnr)
  local folder = folders.of(bufnr)
  if not folder then
    return ""
  end
  want(folder)
  local text = texts[folder]
  if not text then
    text = text_of(folder)
    texts[folder] = text
  end
  return text
end

return M
