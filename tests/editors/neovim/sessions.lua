--- The server's life, the folders, the API and what follows changes.
local support = require("support")

local M = {}
local repository = vim.env.TEST_REPOSITORY
local work = vim.env.TEST_WORK
local second = work .. "/second"

local function edit(path)
  vim.fn.writefile({}, path)
  vim.cmd.edit(vim.fn.fnameescape(path))
  return vim.api.nvim_get_current_buf()
end

function M.lazy()
  for name in pairs(package.loaded) do
    support.equal(name:match("^trop") or name:match("^vim%.lsp"), nil)
  end
  support.equal(vim.fn.exists(":Trop"), 2)
  support.equal(vim.api.nvim_get_proc_children(vim.fn.getpid()), {})

  local trop = require("trop")
  trop.setup({ reserve_on_open = "never" })
  support.equal(
    vim.iter(vim.tbl_keys(package.loaded)):any(function(name)
      return name == "trop.server"
    end),
    false
  )
  support.equal(vim.api.nvim_get_proc_children(vim.fn.getpid()), {})
end

function M.opened_repository()
  local drawn
  _G.drawn_statusline = function()
    drawn = require("trop").status()
    return drawn
  end
  vim.o.statusline = "%{v:lua.drawn_statusline()}"
  vim.cmd("redrawstatus")
  support.equal(drawn, "")

  support.eventually("a statusline that was drawn again", function()
    return drawn == "5000"
  end)
  support.equal(support.port(repository), 5000)
  support.equal(support.notes, {})
end

--- What happens by itself is said once, on one line, and in no message that stays.
function M.announced()
  local echoed = {}
  local echo = vim.api.nvim_echo
  vim.api.nvim_echo = function(chunks, ...)
    table.insert(echoed, chunks[1][1])
    return echo(chunks, ...)
  end
  support.equal(require("trop").status(), "")
  support.eventually("a word of it", function()
    return echoed[1]
  end)
  local whole = ("trop: port 5000 reserved for %s"):format(repository)
  local room = vim.o.columns - 12
  support.equal(echoed, { #whole > room and whole:sub(1, room - 1) .. "…" or whole })
  support.equal(support.notes, {})
  support.equal(vim.fn.execute("messages"):find("reserved"), nil)
  support.equal(vim.iter(require("trop.log").lines()):any(function(line)
    return line:find(whole:sub(7), 1, true) ~= nil
  end), true)
end

function M.never_reserve()
  vim.g.trop = { reserve_on_open = "never" }
  support.equal(require("trop").status(), "")
  support.call("list_projects")

  support.equal(support.port(repository), nil)
  support.equal(require("trop").status(), "")
end

function M.status_follows()
  require("trop").setup({ reserve_on_open = "never" })
  local changes = 0
  vim.api.nvim_create_autocmd("User", {
    pattern = "TropChanged",
    callback = function()
      changes = changes + 1
    end,
  })
  support.equal(require("trop").status(), "")
  support.call("list_projects")

  support.trop(repository, "reserve")
  support.status("5000")
  support.trop(repository, "reserve", "--tag", "web")
  support.status("5000 web:5001")
  support.trop(repository, "release", "--untagged-only")
  support.status("web:5001")
  support.trop(repository, "release")
  support.status("")
  support.equal(changes >= 4, true)
end

function M.status_text_is_inert()
  require("trop").setup({ reserve_on_open = "never" })
  local tag = "%{%execute('quit')%}%#ErrorMsg#\u{202e}"
  support.trop(repository, "reserve", "--tag", tag)

  support.status("%%{%%execute('quit')%%}%%#ErrorMsg#\\u202e:5000")
  local drawn = vim.api.nvim_eval_statusline("%{%v:lua.require'trop'.status()%}", { highlights = true })
  support.equal(drawn.str, "%{%execute('quit')%}%#ErrorMsg#\\u202e:5000")
  support.equal(#drawn.highlights, 1)
end

function M.without_a_folder()
  support.equal(require("trop").status(), "")
  support.call("list_projects")
  support.equal(require("trop.server").folders(), {})
  local err = support.call("reserve")
  support.equal(err.data.kind, "invalid_argument")
  support.contains(err.message, "folder")
  vim.cmd("Trop")
  vim.cmd("Trop! release")
  support.equal(#support.notes, 2)
  support.contains(support.notes[1].text, "no folder is open here")
end

function M.two_folders()
  local first = edit(repository .. "/a.txt")
  support.status("5000", first)
  local other = edit(second .. "/b.txt")
  support.status("5001", other)
  support.equal(require("trop").status(first), "5000")
  support.equal(#vim.lsp.get_clients(), 1)
  support.equal(vim.lsp.get_clients()[1].workspace_folders[2].name, second)

  local err, result = support.call("reserve", { tag = "web" })
  support.equal(err, nil)
  support.equal(result.reservation.path, second)
  support.status("5001 web:5002", other)
  vim.cmd.buffer(first)
  vim.cmd("Trop reserve api")
  support.note(("for %s (api)"):format(repository))
  support.status("5000 api:5003", first)
end

function M.worktree()
  support.status("5000")
  vim.cmd.cd(work .. "/shop-login")

  support.status("5001")
  support.equal(support.port(work .. "/shop-login"), 5001)
end

function M.linked_folder()
  vim.cmd.cd(work)
  edit(work .. "/link/a.txt")

  support.status("5000")
  support.equal(support.port(repository), 5000)
end

function M.not_attached()
  local attached = false
  vim.api.nvim_create_autocmd("LspAttach", {
    callback = function()
      attached = true
    end,
  })
  local buffer = edit(repository .. "/a.txt")
  support.status("5000")

  support.equal(vim.lsp.get_clients({ bufnr = buffer }), {})
  support.equal(attached, false)
  support.equal(#vim.api.nvim_list_bufs(), 1)
end

function M.api_shape()
  local err, result = support.call("reserve", { tag = "web", port = 6001 })
  support.equal(err, nil)
  support.equal(result.outcome, "created")
  support.equal(result.reservation.port, 6001)
  support.equal(result.reservation.tag, "web")

  err, result = support.call("list_projects", {})
  support.equal(err, nil)
  support.equal(result.projects, { "shop" })

  err, result = support.call("reserve", { port = "6001" })
  support.equal(result, nil)
  support.equal(err.code, -32602)
  support.equal(err.data.kind, "invalid_argument")
  support.equal(err.data.details, { field = "port", expected = err.data.details.expected, given = "6001" })
  support.equal(type(err.message), "string")
  support.equal(type(err.data.hint), "string")
  support.equal(err.data.retryable, false)

  err = support.call("migrate", { from = work .. "/a", to = work .. "/b" })
  support.equal({ err.code, err.data.kind }, { -32803, "not_found" })
  err = support.call("no_such_command", {})
  support.equal(err.code, -32602)

  err, result = support.call("reserve")
  support.equal(err, nil)
  support.equal(result.reservation.tag, nil)
  support.equal(rawequal(result.reservation.tag, vim.NIL), false)
end

function M.api_lists_everything()
  vim.fn.mkdir(work .. "/elsewhere")
  support.trop(work .. "/elsewhere", "reserve")

  local _, all = support.call("list")
  local _, some = support.call("list", { folder = repository, tag = "none" })

  support.equal(all.reservations[1].path, work .. "/elsewhere")
  support.equal(some.reservations, {})

  local _, done = support.call("history")
  local _, here = support.call("history", { folder = repository })

  support.equal({ #done.operations, done.operations[1].changes[1].path }, { 1, work .. "/elsewhere" })
  support.equal(here.operations, {})
end

function M.api_knows_all_commands()
  local _, listed = support.call("list_commands")
  support.equal(#listed.commands > 6, true)
  for _, entry in ipairs(listed.commands) do
    local name = entry.command:gsub("^trop%.", ""):gsub("%u", function(letter)
      return "_" .. letter:lower()
    end)
    support.equal(type(require("trop")[name]), "function")
  end
  support.equal(require("trop")._private, nil)
  support.equal(require("trop")["not a name"], nil)
  support.equal(pcall(require("trop").reserve, "web"), false)
end

function M.api_without_callback()
  require("trop").setup({ reserve_on_open = "never" })
  require("trop").reserve({ tag = "web" })
  support.eventually("the reservation", function()
    return support.port(repository, "web")
  end)
  support.equal(support.notes, {})

  require("trop").reserve({ port = 0 })

  support.equal(support.note("port").level, vim.log.levels.ERROR)

  support.trop(repository, "release", "--tag", "web")
  require("trop").undo({ id = 1 })

  support.equal(
    vim.split(support.note("cannot be undone").text, "\n")[2],
    ("5000 (web): %s is not reserved any more"):format(repository)
  )
end

function M.wrong_options()
  local ok, reason = pcall(require("trop").setup, { comand = "x", venv = "yes", reserve_on_open = "sometimes" })
  support.equal(ok, false)
  support.contains(
    reason,
    "there is no option comand; there are cmd, data_dir, migrate_on_rename, reserve_on_open, venv"
  )
  support.contains(reason, 'setup.venv: expected true or false, not "yes"')
  support.contains(reason, 'setup.reserve_on_open: expected "never", "git" or "always", not "sometimes"')

  vim.g.trop = { data_dir = 5 }
  local err = support.call("list_projects")
  support.equal(err.data.kind, "server_unavailable")
  support.contains(err.message, "vim.g.trop.data_dir: expected a path, not 5")

  vim.g.trop = function()
    return { data_dir = work .. "/data of its own" }
  end
  local _, place = support.call("show_data_dir")
  support.equal(place.dataDir, work .. "/data of its own")
end

function M.refused_start()
  require("trop").setup({ data_dir = "" })

  local err = support.call("list_projects")

  support.equal(err.code, -32602)
  support.equal(require("trop.server").client(), nil)
end

function M.killed()
  support.status("5000")
  vim.uv.kill(support.server_process(), "sigkill")
  support.eventually("a server that was started again", function()
    local client = require("trop.server").client()
    return client and client.id > 1
  end)

  support.status("5000")
  support.trop(repository, "reserve", "--tag", "web")
  support.status("5000 web:5001")
  support.equal(#vim.lsp.get_clients(), 1)
end

function M.killed_while_it_works()
  support.call("list_projects")
  -- The test holds the store's lock: the answer cannot come.
  local answer
  require("trop").reserve({ tag = "web" }, function(err, result)
    answer = { err = err, result = result }
  end)
  support.eventually("the request on its way", function()
    return next(require("trop.server").client().requests)
  end)

  vim.uv.kill(support.server_process(), "sigkill")

  support.eventually("an answer all the same", function()
    return answer
  end)
  support.equal(answer.result, nil)
  support.equal(answer.err.data.kind, "server_unavailable")
end

function M.killed_again_and_again()
  support.call("list_projects")
  for _ = 1, 3 do
    local id = require("trop.server").client().id
    vim.uv.kill(support.server_process(), "sigkill")
    support.eventually("another server", function()
      local client = require("trop.server").client()
      return client and client.id ~= id
    end)
  end
  vim.uv.kill(support.server_process(), "sigkill")
  support.equal(support.note("several times").level, vim.log.levels.ERROR)
  support.equal(require("trop.server").client(), nil)

  local err = support.call("list_projects")

  support.equal(err, nil)
end

function M.no_server()
  for _ = 1, 3 do
    support.equal(require("trop").status(), "")
    edit(("%s/file-%d"):format(second, math.random(1e9)))
  end
  local note = support.note("trop-server was not found")
  support.contains(note.text, "python3 -m venv --upgrade-deps .venv && .venv/bin/pip install .")
  support.equal(#support.notes, 1)

  local err = support.call("reserve")
  support.equal(err.data.kind, "server_unavailable")
  support.contains(err.data.hint, "pip install .")
  vim.cmd("Trop")
  support.eventually("the answer to :Trop", function()
    return #support.notes == 2
  end)
  support.equal(support.notes[2].level, vim.log.levels.ERROR)
  support.equal(vim.lsp.get_clients(), {})
end

function M.configured_server_is_missing()
  require("trop").setup({ cmd = "~/no/such/trop-server" })

  vim.cmd("Trop")

  support.note(("the configured server, %s/no/such/trop-server, is not an executable file"):format(vim.env.HOME))
end

function M.server_of_the_folder()
  support.equal(support.call("reserve").data.kind, "server_unavailable")
  support.equal(vim.fn.filereadable(work .. "/was-run"), 0)

  require("trop").setup({ venv = true })
  local err = support.call("reserve")

  support.equal(err, nil)
  support.equal(vim.fn.filereadable(work .. "/was-run"), 1)
end

function M.server_of_the_checkout()
  local err = support.call("reserve")

  support.equal(err, nil)
end

function M.renamed_folder()
  support.status("5000")
  vim.fn.mkdir(repository .. "/app", "p")
  support.trop(repository .. "/app", "reserve", "--tag", "web")
  vim.fn.rename(repository .. "/app", repository .. "/site")
  require("trop").renamed(repository .. "/app", repository .. "/site")
  support.eventually("the reservation at its new place", function()
    return support.port(repository .. "/site", "web") == 5001
  end)
  support.equal(support.port(repository .. "/app", "web"), nil)

  vim.fn.writefile({}, repository .. "/file")
  require("trop").renamed("gone", "file")
  support.equal(support.notes, {})
end

function M.renamed_conflict(answer)
  support.status("5000")
  for _, name in ipairs({ "old", "new" }) do
    vim.fn.mkdir(repository .. "/" .. name)
    support.trop(repository .. "/" .. name, "reserve")
  end
  support.answer_with(answer)
  vim.fn.delete(repository .. "/old", "d")
  vim.cmd.cd(repository)

  require("trop").renamed("old", "new")

  support.eventually("a question", function()
    return support.questions[1]
  end)
  support.contains(support.questions[1].prompt, "5001")
  support.contains(support.questions[1].prompt, "5002")
  support.equal(support.questions[1].choices, { "Overwrite", "Leave" })
end

function M.renamed_overwrite()
  M.renamed_conflict("Overwrite")

  support.eventually("the reservation at its new place", function()
    return support.port(repository .. "/new") == 5001
  end)
  support.equal(support.port(repository .. "/old"), nil)
end

function M.renamed_leave()
  M.renamed_conflict("Leave")

  support.call("list_projects")
  support.equal(support.port(repository .. "/new"), 5002)
  support.equal(support.port(repository .. "/old"), 5001)
end

function M.rename_switched_off()
  require("trop").setup({ migrate_on_rename = false })
  support.status("5000")
  vim.fn.mkdir(repository .. "/new")
  support.trop(repository, "reserve", "--path", repository .. "/old")

  require("trop").renamed(repository .. "/old", repository .. "/new")

  support.call("list_projects")
  support.equal(support.port(repository .. "/old"), 5001)
end

function M.moved_outside()
  support.answer_with("Take Along")

  support.status("5000")

  support.equal(#support.questions, 1)
  support.contains(support.questions[1].prompt, "5000")
  support.equal(support.port(repository), 5000)
end

function M.followed_move()
  support.equal(support.port(vim.env.TEST_MOVED_FROM), 5000)
  support.status("5000")

  support.equal(support.questions, {})
  support.equal(support.port(repository), 5000)
  support.equal(support.port(vim.env.TEST_MOVED_FROM), nil)
end

local function health()
  vim.cmd("checkhealth trop")
  return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, true), "\n")
end

function M.health()
  support.call("reserve")

  local report = health()

  support.equal(report:find("ERROR"), nil)
  support.contains(report, "Neovim " .. tostring(vim.version()))
  support.contains(report, "trop-server: trop-server ")
  support.contains(report, "the server is running")
  support.contains(report, "told of changes: true")
  support.contains(report, "folders: " .. repository)
  support.contains(report, "the store can be read: " .. vim.env.TROP_DATA_DIR)
end

function M.health_without_a_server()
  local report = health()

  support.contains(report, "ERROR trop-server was not found")
  support.contains(report, "pip install .")
end

function M.health_of_a_broken_store()
  local report = health()

  support.contains(report, "the server was not running, and has been started")
  support.contains(report, "ERROR")
  support.contains(report, "trop.db")
end

function M.health_of_wrong_options()
  vim.g.trop = { cmd = {} }

  support.contains(health(), "ERROR vim.g.trop.cmd: expected a path, or a list of a path and arguments")
end

function M.package()
  support.equal(package.loaded["trop"], nil)
  vim.cmd("helptags ALL")
  vim.cmd("help trop.txt")
  support.equal(vim.fs.basename(vim.api.nvim_buf_get_name(0)), "trop.txt")
  for _, tag in ipairs({ ":Trop", "trop-api", "trop.status()", "trop-options", "trop-health" }) do
    vim.cmd("help " .. tag)
    support.contains(vim.api.nvim_get_current_line(), "*" .. tag .. "*")
  end
end

return M
