--- What somebody sees who sits at a terminal.
local support = require("support")

local M = {}
local repository = vim.env.TEST_REPOSITORY
local plugin = vim.fs.dirname(vim.fs.dirname(vim.api.nvim_get_runtime_file("lua/trop/init.lua", false)[1]))

---@class trop.test.Terminal
---@field type fun(keys: string)
---@field shows fun(text: string) waits for it
---@field rows fun(): string[] what it shows now
---@field call fun(method: string, ...: any): any asks the editor

--- An editor, and a terminal of 80 columns and 24 lines that shows it.
---@param options? string of the plugin, as an expression
---@return trop.test.Terminal
local function open(options)
  local address = vim.env.TEST_WORK .. "/editor"
  local command = { vim.env.TEST_NEOVIM, "--clean", "--headless", "--listen", address }
  vim.list_extend(command, { "--cmd", "set runtimepath^=" .. vim.fs.dirname(plugin), "-c", "cd " .. repository })
  vim.list_extend(command, { "--cmd", "let g:trop = " .. (options or "{'reserve_on_open': 'never'}") })
  vim.fn.jobstart(command)
  local inside
  support.eventually("the editor", function()
    local ok, id = pcall(vim.fn.sockconnect, "pipe", address, { rpc = true })
    inside = ok and id
    return inside
  end)
  vim.cmd.enew()
  local bufnr = vim.api.nvim_get_current_buf()
  local channel = vim.fn.termopen({ vim.env.TEST_NEOVIM, "--server", address, "--remote-ui" })
  local function shown()
    return table.concat(vim.api.nvim_buf_get_lines(bufnr, 0, -1, false), "\n")
  end
  return {
    type = function(keys)
      vim.fn.chansend(channel, keys)
    end,
    shows = function(text)
      if not vim.wait(support.PATIENCE_MS, function()
        return shown():find(text, 1, true) ~= nil
      end) then
        support.contains(shown(), text)
      end
    end,
    rows = function()
      return vim.api.nvim_buf_get_lines(bufnr, 0, -1, false)
    end,
    call = function(method, ...)
      return vim.rpcrequest(inside, method, ...)
    end,
  }
end

--- Lua, for an editor whose server asks something.
local SERVER_ASKS = [[
  coroutine.wrap(function()
    local client = vim.lsp.get_clients({ name = "trop" })[1]
    local question = { type = 3, message = "The directory has moved.", actions = { { title = "Follow" } } }
    local ask = client.handlers["window/showMessageRequest"]
    _G.answer = ask(nil, question, { client_id = client.id, method = "window/showMessageRequest" }).title
  end)()
]]

--- What was done is said on one line, and none of it waits for a key.
function M.asks_for_no_key()
  vim.fn.writefile({ "reservations: {services: {web: {}, api: {}}}" }, repository .. "/trop.yaml")
  vim.fn.mkdir(repository .. "-elsewhere")
  local editor = open()
  local function after(keys, ...)
    editor.type(keys)
    for _, text in ipairs({ ... }) do
      editor.shows(text)
    end
    support.equal({ keys, editor.call("nvim_get_mode").mode }, { keys, "n" })
  end

  after(":Trop reserve a-tag-that-makes-a-long-line-of-it\r", "trop: port 5000 for /", "…")
  after(":Trop services\r", "services (created): web 5001, api 5002")
  after(":Trop! release api\r", "released 5002 (api)")
  after(":Trop! undo\r", "undone operation 3: 1 reservation as before")
  after(":Trop undo 99\r", "trop: there is no operation", "(:Trop log)")
  after(":Trop list-projects\r", "trop://projects")
  editor.type(":q\r")
  after((":Trop! migrate %s %s-elsewhere\r"):format(repository, repository), "migrated 3 reservations to")
  editor.type(":Trop undo\r")
  editor.shows("1: Undo")
  after("1\r", "undone operation 5: 3 reservations as before")

  -- What comes while somebody types waits until they are done, however they end it.
  local function comes_after(event, keys)
    editor.call("nvim_command", "Trop list")
    support.eventually("the answer", function()
      return #editor.call("nvim_get_autocmds", { event = event }) > 0
    end)
    local function window()
      return editor.call("nvim_call_function", "bufwinid", { "trop://reservations" })
    end
    support.equal(window(), -1)
    editor.type(keys)
    support.eventually("the window", function()
      return window() ~= -1
    end)
    support.eventually("no typing any more", function()
      return editor.call("nvim_get_mode").mode == "n"
    end)
    editor.call("nvim_command", "bwipeout! trop://reservations")
  end
  local function is(what, call)
    support.eventually(what, function()
      return editor.call("nvim_call_function", call, {}) == what
    end)
  end
  for _, typed in ipairs({ { "i", "i", "\27" }, { "i", "i", "\3" }, { ":", "c", "1\27" }, { "v", "v", "\27" } }) do
    local keys, mode, ending = unpack(typed)
    editor.type(keys)
    is(mode, "mode")
    comes_after("ModeChanged", ending)
  end
  -- So does what the server asks.
  editor.type("i")
  is("i", "mode")
  editor.call("nvim_exec_lua", SERVER_ASKS, {})
  editor.type("not 1 of this\27")
  editor.shows("not 1 of this")
  editor.shows("1: Follow")
  editor.type("1\r")
  support.eventually("the answer", function()
    return editor.call("nvim_exec_lua", "return _G.answer", {}) == "Follow"
  end)
  editor.type("u")
  editor.type("q:")
  is(":", "getcmdwintype")
  comes_after("CmdwinLeave", ":q\r")

  -- Without a command line Neovim asks for keys itself; the question is there all the same.
  editor.type(":set cmdheight=0\r:Trop release web\r")
  editor.shows("Release 5001 (web)")
  editor.type("2\r\r\r:qa!\r")
end

--- Lua, for an editor that notes how long no key has been typed when it asks.
local NOTES_WHEN_IT_ASKS = [[
  local typed
  vim.on_key(function() typed = vim.uv.now() end)
  vim.ui.select = function(choices, _, on_choice)
    _G.asked_after = vim.uv.now() - typed
    on_choice(choices[1])
  end
]]

--- The keys behind those that end an insertion are meant for no question.
function M.asks_after_a_pause()
  local editor = open()
  editor.type(":Trop reserve\r")
  editor.shows("port 5000 for")
  editor.call("nvim_exec_lua", NOTES_WHEN_IT_ASKS, {})
  editor.type("i")
  support.eventually("insert mode", function()
    return editor.call("nvim_get_mode").mode == "i"
  end)
  editor.call("nvim_exec_lua", SERVER_ASKS, {})
  editor.type("x\27")
  local waited = support.eventually("the question", function()
    return editor.call("nvim_exec_lua", "return _G.asked_after or false", {})
  end)
  support.equal({ waited >= 500, waited }, { true, waited })
  editor.type(":qa!\r")
end

--- What a question is about is seen above it, and what there is no room for is counted.
function M.shows_what_it_asks_about()
  local editor = open()
  for number = 1, 30 do
    editor.call("nvim_command", "Trop reserve tag" .. number)
  end
  support.eventually("thirty ports", function()
    return select(2, editor.call("nvim_exec_lua", "return require('trop').status()", {}):gsub("tag", "")) == 30
  end)
  editor.type(":Trop release\r")
  editor.shows("Type number and <Enter>")
  local listed, more, rows = 0, nil, editor.rows()
  for _, row in ipairs(rows) do
    listed = listed + (row:match("^%d+ %(tag%d+%): /") and 1 or 0)
    more = more or row:match("^… and (%d+) more")
  end
  support.equal({ tonumber(more) + listed, listed > 5, rows }, { 30, true, rows })
  editor.type("2\r:qa!\r")
end

--- A server that is missing is told of without a question for a key, also where there is no command line.
function M.misses_the_server()
  local editor = open("{'cmd': ['/no/such/server']}")
  vim.fn.writefile({ "reservations: {}" }, repository .. "/trop.yaml")
  editor.type(":set cmdheight=0\r:edit trop.yaml\r")
  -- Without a command line, what is said is seen until the screen is drawn anew, which may be at once.
  support.eventually("the warning", function()
    local said = editor.call("nvim_exec2", "messages", { output = true }).output
    return said:find("trop: the configured server, /no/such/server, is not an…", 1, true)
  end)
  support.equal(editor.call("nvim_get_mode"), { mode = "n", blocking = false })
  editor.type(":qa!\r")
end

return M
