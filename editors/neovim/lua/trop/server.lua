--- The one server of this Neovim: its start and end, its folders, and requests to it.
local config = require("trop.config")
local executable = require("trop.executable")
local log = require("trop.log")
local messages = require("trop.messages")
local said = require("trop.said")
local versions = require("trop.versions")

local M = {}

local NAME = "trop"
local REQUEST_FAILED = -32803
local RESTARTS, WINDOW_MS = 3, 180000

--- An error as JSON-RPC has it. `data.kind` is one of the server's kinds, or `server_unavailable` where no server
--- answered.
---@class trop.Error
---@field code integer
---@field message string
---@field data { kind: string, hint: string, details: table, retryable: boolean }

---@alias trop.Callback fun(err: trop.Error?, result: table?)

--- What is told of the server, to whom it concerns.
---@class trop.Listeners
---@field ready fun() it was started, or started again
---@field changed fun(reservations: trop.Reservation[]) the open folders' reservations are these now
---@field ended fun() it is gone

local none = function() end
---@type trop.Listeners
M.listeners = { ready = none, changed = none, ended = none }

---@type integer? the client, from the moment that the process was started
local client_id
---@type boolean whether the client is past `initialize`
local ready = false
---@type (fun(err: trop.Error?, client: vim.lsp.Client?))[] what waits for the start
local waiting = {}
---@type table<integer, trop.Callback> what waits for an answer
local pending = {}
---@type string[] the open folders, in the order in which they were opened
local folders = {}
---@type table<string, string> the folders that a server has seen open, with what was wished for them then
local opened = {}
---@type table<integer, true> the buffers that the server is attached to whenever it runs
local documents = {}
---@type number[] when the server ended by itself
local ends = {}
local last_request = 0

--- What the options say of folders that open.
---@return string
local function wish()
  local options = config.get()
  return options.reserve_on_open .. "\n" .. (options.data_dir or "")
end

--- The folders that do not open once more when another server starts: what was released since stays so.
---@return string[]
local function opened_before()
  return vim.tbl_filter(function(path)
    return opened[path] == wish()
  end, folders)
end

---@param message string
---@param hint string
---@return trop.Error
local function unavailable(message, hint)
  return {
    code = REQUEST_FAILED,
    message = message,
    data = { kind = "server_unavailable", hint = hint, details = vim.empty_dict(), retryable = false },
  }
end

---@param path string
local function workspace_folder(path)
  return { uri = vim.uri_from_fname(path), name = path }
end

---@param err trop.Error?
---@param client vim.lsp.Client?
local function release_waiting(err, client)
  local released = waiting
  waiting = {}
  for _, callback in ipairs(released) do
    callback(err, client)
  end
end

---@param client vim.lsp.Client
---@param path string
local function announce(client, path)
  local folder = workspace_folder(path)
  -- Other plugins look here for what belongs to which server.
  client.workspace_folders = vim.list_extend(client.workspace_folders or {}, { folder })
  local event = { added = { folder }, removed = {} }
  versions.call(client, "notify", "workspace/didChangeWorkspaceFolders", { event = event })
end

---@param client vim.lsp.Client
local function attach_documents(client)
  for bufnr in pairs(documents) do
    if vim.api.nvim_buf_is_loaded(bufnr) then
      vim.lsp.buf_attach_client(bufnr, client.id)
    else
      documents[bufnr] = nil
    end
  end
end

---@param client vim.lsp.Client
local function on_init(client)
  ready = true
  attach_documents(client)
  local announced = {}
  for _, folder in ipairs(client.workspace_folders or {}) do
    announced[folder.name] = true
  end
  for _, path in ipairs(folders) do
    opened[path] = wish()
    if not announced[path] then
      announce(client, path)
    end
  end
  release_waiting(nil, client)
  M.listeners.ready()
end

---@param id integer the client that is gone
---@param how string
local function on_gone(id, how)
  log.add(how)
  if id ~= client_id then
    return
  end
  client_id, ready = nil, false
  local failed = pending
  pending = {}
  local err = unavailable(("the server ended (%s)"):format(how), "Look at :Trop log; the next call starts it again.")
  release_waiting(err)
  for _, callback in pairs(failed) do
    vim.schedule(function()
      callback(err)
    end)
  end
  M.listeners.ended()
end

--- Start the server again that ended by itself, unless it does so again and again.
local function start_again()
  local now = vim.uv.now()
  ends = vim.tbl_filter(function(moment)
    return now - moment < WINDOW_MS
  end, ends)
  table.insert(ends, now)
  if #ends <= RESTARTS then
    M.start()
  else
    vim.notify("trop: the server ended several times. See :Trop log; :Trop restart starts it.", vim.log.levels.ERROR)
  end
end

--- A connection whose refusal of `initialize` ends it, rather than leave a client behind that never answers.
---@param command string[]
---@return fun(dispatchers: vim.lsp.rpc.Dispatchers): vim.lsp.rpc.PublicClient
local function connection(command)
  return function(dispatchers)
    local rpc = vim.lsp.rpc.start(command, dispatchers)
    local request = rpc.request
    rpc.request = function(method, params, callback, ...)
      if method ~= "initialize" then
        return request(method, params, callback, ...)
      end
      return request(method, params, function(err, ...)
        if not err then
          return callback(err, ...)
        end
        release_waiting(versions.without_null(err) --[[@as trop.Error]])
        M.stop()
      end, ...)
    end
    return rpc
  end
end

---@return vim.lsp.ClientConfig
local function client_config(command)
  -- Plain texts: Neovim shows the backslashes of Markdown, with which a stranger's text stays text.
  local capabilities = vim.tbl_deep_extend("force", vim.lsp.protocol.make_client_capabilities(), {
    workspace = {
      fileOperations = { didRename = true },
      workspaceEdit = { documentChanges = true }, -- Neovim 0.10 compares versions, and does not say so.
    },
    textDocument = {
      codeLens = { dynamicRegistration = false }, -- Neovim 0.10 has them, and does not say so.
      hover = { contentFormat = { "plaintext" } },
      completion = { completionItem = { documentationFormat = { "plaintext" } } },
    },
  })
  local id
  return {
    name = NAME,
    cmd = connection(command),
    root_dir = folders[1],
    workspace_folders = folders[1] and vim.tbl_map(workspace_folder, folders) or nil,
    capabilities = capabilities,
    commands = require("trop.offered"),
    init_options = config.initialization_options(opened_before()),
    handlers = said.handlers(function(reservations)
      M.listeners.changed(reservations)
    end),
    on_init = function(client)
      id = client.id
      on_init(client)
    end,
    on_exit = vim.schedule_wrap(function(code, signal, gone)
      local expected = gone ~= client_id
      on_gone(gone, ("exit code %d, signal %d"):format(code, signal))
      if not expected and gone == id then
        start_again()
      end
    end),
  }
end

--- Start the server if it is not running. What goes wrong is told to those who wait for it.
function M.start()
  if client_id then
    return
  end
  local _, problems = config.get()
  if #problems > 0 then
    return release_waiting(unavailable(table.concat(problems, "; "), "Correct vim.g.trop."))
  end
  local command, problem, hint = executable.find(folders[1] or require("trop.folders").of())
  if not command then
    return release_waiting(unavailable(problem or "", hint or ""))
  end
  log.add("starting " .. table.concat(command, " "))
  -- The server is attached to trop.yaml alone, so that no LspAttach of the user's runs for it in other buffers.
  -- vim.lsp.start of Neovim 0.10 would attach it to a buffer in any case.
  if vim.fn.has("nvim-0.11") == 1 then
    client_id = vim.lsp.start(client_config(command), {
      attach = false,
      reuse_client = function()
        return false
      end,
    })
  else
    client_id = vim.lsp.start_client(client_config(command))
  end
  if not client_id then
    release_waiting(unavailable(("%s could not be started"):format(command[1]), "Look at :messages."))
  end
end

--- Stop the server, if it is running; what waits for an answer gets an error.
function M.stop()
  local client = client_id and vim.lsp.get_client_by_id(client_id)
  local id = client_id
  if id then
    on_gone(id, "stopped")
  end
  if client then
    versions.call(client, "stop")
  end
end

--- Stop the server, if it is running, and start it: with the options and the executable that there are now.
function M.restart()
  ends = {}
  M.stop()
  M.start()
end

--- The client, if it is past `initialize`.
---@return vim.lsp.Client?
function M.client()
  return ready and client_id and vim.lsp.get_client_by_id(client_id) or nil
end

--- Call back with the client, once it is ready, or with the error that prevents it. Starts the server if need be.
---@param callback fun(err: trop.Error?, client: vim.lsp.Client?)
function M.when_ready(callback)
  local client = M.client()
  if client then
    return callback(nil, client)
  end
  table.insert(waiting, callback)
  M.start()
end

--- Start the server if need be. What prevents it is told once.
function M.ensure()
  M.when_ready(function(err)
    if err then
      messages.warn_once({ err.message .. ".", err.data and err.data.hint })
    end
  end)
end

--- The folders that are open.
---@return string[]
function M.folders()
  return vim.deepcopy(folders)
end

--- Open a folder, once and for all: the server tells what changes there, and reserves a port if the options say so.
---@param path string
function M.open(path)
  if vim.list_contains(folders, path) then
    return
  end
  table.insert(folders, path)
  local client = M.client()
  if client then
    opened[path] = wish()
    announce(client, path)
  end
end

--- Attach the server to a buffer, at once if it runs, and whenever it is started.
---@param bufnr integer
function M.add_document(bufnr)
  documents[bufnr] = true
  local client = M.client()
  if client then
    attach_documents(client)
  end
end

--- Whether the server's command knows a field.
---@param client vim.lsp.Client
---@param command string
---@param field string
---@return boolean
local function has_field(client, command, field)
  for _, entry in ipairs(vim.tbl_get(client.server_capabilities or {}, "experimental", "trop", "commands") or {}) do
    if entry.command == command then
      return vim.tbl_get(entry, "inputSchema", "properties", field) ~= nil
    end
  end
  return false
end

--- Let statuslines know of what was just reserved.
---@param result table
local function note_reserved(result)
  local reserved = result.group and vim.tbl_values(result.group) or { result.reservation }
  -- Loaded when it is needed: it needs this.
  require("trop.picture").add(reserved)
end

---@type table<string, true> what reserves
local RESERVING = { ["trop.reserve"] = true, ["trop.autoreserve"] = true, ["trop.reserveGroup"] = true }

--- Execute a command of the server. Starts it if need be.
---@param command string such as `trop.reserve`
---@param argument table? its fields
---@param folder string? the folder for a command that is about one, where the argument names neither that nor a path;
---it is opened then
---@param callback trop.Callback called once, not before this returns
function M.execute(command, argument, folder, callback)
  if argument ~= nil and type(argument) ~= "table" then
    error(("trop: the argument of %s has to be a table, not a %s"):format(command, type(argument)), 3)
  end
  local fields = vim.deepcopy(argument or {})
  M.when_ready(vim.schedule_wrap(function(err, client)
    if err or not client then
      return callback(err)
    end
    if folder and fields.folder == nil and fields.path == nil and has_field(client, command, "folder") then
      fields.folder = folder
      M.open(folder)
    end
    last_request = last_request + 1
    local number = last_request
    pending[number] = callback
    local params = { command = command, arguments = { next(fields) == nil and vim.empty_dict() or fields } }
    local sent = versions.call(client, "request", "workspace/executeCommand", params, function(failure, result)
      if pending[number] then
        pending[number] = nil
        failure, result = versions.without_null(failure), versions.without_null(result)
        if result and RESERVING[command] and not result.dryRun then
          note_reserved(result)
        end
        callback(failure, result)
      end
    end)
    if not sent and pending[number] then
      pending[number] = nil
      callback(unavailable("the server ended", "Call again: that starts it."))
    end
  end))
end

--- Execute a command of the server and wait for the answer, but not for ever.
---@param command string
---@param argument table
---@param patience_ms integer
---@return trop.Error? err also when the answer has not come in time
---@return table? result
function M.execute_and_wait(command, argument, patience_ms)
  local answered = false
  local failure, answer
  M.execute(command, argument, nil, function(err, result)
    answered, failure, answer = true, err, result
  end)
  vim.wait(patience_ms, function()
    return answered
  end, 10)
  if not answered then
    return unavailable("the server has not answered in time", "Look at :Trop log.")
  end
  return failure, answer
end

--- Tell the server that a directory has another path now. Nothing happens where it does not want to know.
---@param old string
---@param new string
---@param callback fun(err: trop.Error?)
function M.renamed(old, new, callback)
  M.when_ready(function(err, client)
    if client and vim.tbl_get(client.server_capabilities or {}, "workspace", "fileOperations", "didRename") then
      local file = { oldUri = vim.uri_from_fname(old), newUri = vim.uri_from_fname(new) }
      versions.call(client, "notify", "workspace/didRenameFiles", { files = { file } })
    end
    callback(err)
  end)
end

return M
