--- What somebody sees who sits at a terminal.
local support = require("support")

local M = {}
local repository = vim.env.TEST_REPOSITORY
local plugin = vim.fs.dirname(vim.fs.dirname(vim.api.nvim_get_runtime_file("lua/trop/init.lua", false)[1]))

--- An editor, and a terminal that shows it.
---@return { type: fun(keys: string), shows: fun(text: string), call: fun(method: string, ...: any): any }
local function open()
  local address = vim.env.TEST_WORK .. "/editor"
  local command = { vim.env.TEST_NEOVIM, "--clean", "--headless", "--listen", address }
  vim.list_extend(command, { "--cmd", "set runtimepath^=" .. vim.fs.dirname(plugin), "-c", "cd " .. repository })
  vim.list_extend(command, { "--cmd", "let g:trop = {'reserve_on_open': 'never'}" })
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
    call = function(method, ...)
      return vim.rpcrequest(inside, method, ...)
    end,
  }
end

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
  after(":Trop services\r", "services (created): api 5002, web 5001")
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
    support.equal(editor.call("nvim_call_function", "bufwinid", { "trop://reservations" }), -1)
    editor.type(keys)
    editor.shows("trop://reservations")
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
  for _, ending in ipairs({ "\27", "\3" }) do
    editor.type("i")
    is("i", "mode")
    comes_after("ModeChanged", ending)
  end
  editor.type("q:")
  is(":", "getcmdwintype")
  comes_after("CmdwinLeave", ":q\r")

  -- Without a command line Neovim asks for keys itself; the question is there all the same.
  editor.type(":set cmdheight=0\r:Trop release web\r")
  editor.shows("Release 5001 (web)")
  editor.type("2\r\r\r:qa!\r")
end

return M
