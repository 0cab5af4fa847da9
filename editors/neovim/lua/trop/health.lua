--- `:checkhealth trop`
local config = require("trop.config")
local executable = require("trop.executable")
local folders = require("trop.folders")
local messages = require("trop.messages")
local plain = require("trop.plain")
local server = require("trop.server")

local M = {}

local PATIENCE_MS = 10000

--- What is reported, as the plain text that it is.
local health = { start = vim.health.start }
for _, report in ipairs({ "ok", "info", "error" }) do
  health[report] = function(...)
    vim.health[report](unpack(vim.tbl_map(plain.text, { ... })))
  end
end

local function check_neovim()
  if vim.fn.has("nvim-0.10") == 0 then
    return health.error("Neovim is too old", "trop needs Neovim 0.10 or later.")
  end
  health.ok("Neovim " .. tostring(vim.version()))
end

---@return boolean
local function check_options()
  local _, problems = config.get()
  for _, problem in ipairs(problems) do
    health.error(problem)
  end
  return #problems == 0
end

--- Whether there is a server that runs.
---@return boolean
local function check_executable()
  local folder = folders.of()
  local command, problem, hint = executable.find(folder)
  if not command then
    health.error(problem or "", hint or "")
    return false
  end
  local program = assert(command[1])
  local started, process = pcall(vim.system, { program, "--version" }, { text = true })
  local done = started and process:wait(PATIENCE_MS) or { code = -1, stderr = tostring(process) }
  if done.code ~= 0 then
    health.error(("%s does not run"):format(program), vim.trim(done.stderr or ""))
    return false
  end
  health.ok(("%s: %s"):format(messages.path(program), vim.trim(done.stdout or "")))
  return true
end

---@param err trop.Error?
local function report(err)
  health.error(err and err.message or "the server gave no answer", err and err.data.hint or "Look at :Trop log.")
end

--- Start the server, if it is not running, and look at the store through it.
local function check_session()
  local running = server.client() ~= nil
  local err, place = server.execute_and_wait("trop.showDataDir", {}, PATIENCE_MS)
  if err or not place then
    return report(err)
  end
  health.ok(running and "the server is running" or "the server was not running, and has been started")
  local client = assert(server.client())
  local options = client.config.init_options or {}
  health.info("told of changes: " .. tostring(options.notifications))
  health.info("folders: " .. table.concat(vim.tbl_map(messages.path, server.folders()), ", "))
  health.info("reserved on opening: " .. options.reserveOnOpen)
  local failure, listed = server.execute_and_wait("trop.list", { limit = 1 }, PATIENCE_MS)
  if failure or not listed then
    return report(failure)
  end
  health.ok("the store can be read: " .. messages.path(place.dataDir))
end

--- Look at everything that has to be there, and at what is there.
function M.check()
  health.start("trop")
  check_neovim()
  if check_options() and check_executable() then
    check_session()
  end
end

return M
