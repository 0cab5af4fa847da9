--- `:Trop` and its subcommands.
local support = require("support")

local M = {}
local repository = vim.env.TEST_REPOSITORY
local work = vim.env.TEST_WORK

local function shown(name)
  return support.eventually("the window " .. name, function()
    local buffer = vim.fn.bufnr(name)
    return buffer ~= -1 and vim.fn.bufwinid(buffer) ~= -1 and vim.api.nvim_buf_get_lines(buffer, 0, -1, true)
  end)
end

--- Wait until a line is completed so: the server may have to be started, and a completion does not wait for long.
local function completes(line, expected)
  support.eventually(("%s: %s"):format(line, vim.inspect(expected)), function()
    return vim.deep_equal(vim.fn.getcompletion(line, "cmdline"), expected)
  end)
end

function M.alone()
  vim.cmd("Trop")

  support.equal(support.note("port 5000").text, "trop: port 5000 for " .. repository)
  support.equal(support.trop(repository, "reserve"), "5000")
end

function M.reserve_tag()
  vim.cmd("Trop reserve web")

  support.equal(support.note("port").text, ("trop: port 5000 for %s (web)"):format(repository))
  support.equal(support.trop(repository, "reserve", "--tag", "web"), "5000")
end

function M.reserve_warns()
  vim.cmd("Trop reserve " .. ("x"):rep(256))

  local note = support.note("tag")
  support.equal(note.level, vim.log.levels.ERROR)
  support.contains(note.text, "\n")
end

function M.release_asks()
  support.trop(repository, "reserve")
  support.trop(repository, "reserve", "--tag", "web")
  support.answer_with("Leave")
  vim.cmd("Trop release")
  support.eventually("a question", function()
    return support.questions[1]
  end)
  support.equal(support.questions[1].prompt, ("Release 5000, 5001 (web) of %s?"):format(repository))
  support.equal(support.port(repository), 5000)

  support.answer_with("Release")
  vim.cmd("Trop release web")
  support.note("released 5001 (web)")
  support.equal(#support.questions, 2)
  support.equal(support.port(repository), 5000)
  support.equal(support.port(repository, "web"), nil)
end

function M.release_bang()
  support.trop(repository, "reserve")

  vim.cmd("Trop! release")

  support.note("released 5000")
  vim.cmd("Trop release")
  support.note("there is nothing to release")
  support.equal(support.questions, {})
  support.equal(support.port(repository), nil)
end

--- Answer the next questions, and note what was shown beside them.
local function answer_and_look(title)
  local seen = {}
  support.answer_with(title)
  local answer = support.answer
  support.answer = function(...)
    vim.list_extend(seen, shown("trop://preview"))
    return answer(...)
  end
  return seen
end

local function question(number)
  return support.eventually("a question", function()
    return support.questions[number]
  end)
end

function M.migrate_previews()
  vim.fn.mkdir(work .. "/old/app", "p")
  support.trop(work .. "/old", "reserve")
  support.trop(work .. "/old/app", "reserve", "--tag", "web")
  local seen = answer_and_look("Leave")
  local line = ("Trop migrate %s/old %s/new"):format(work, work)
  vim.cmd(line)
  support.equal(question(1), { prompt = "Migrate 2 reservations?", choices = { "Migrate", "Leave" } })
  support.equal(seen[1], ("5000: %s/old -> %s/new"):format(work, work))
  support.equal(seen[2], ("5001: %s/old/app (web) -> %s/new/app"):format(work, work))
  support.contains(seen[3], "not an existing directory")
  support.equal(vim.fn.bufwinid("trop://preview"), -1)
  support.equal(support.port(work .. "/old"), 5000)

  support.answer_with("Migrate")
  vim.cmd(line)

  support.note(("migrated 2 reservations to %s/new"):format(work))
  support.equal(support.port(work .. "/new/app", "web"), 5001)
end

function M.migrate_conflict()
  for _, name in ipairs({ "old", "new" }) do
    vim.fn.mkdir(work .. "/" .. name)
    support.trop(work .. "/" .. name, "reserve")
  end
  local seen = answer_and_look("Leave")
  local arguments = ("%s/old %s/new"):format(work, work)
  vim.cmd("Trop migrate " .. arguments)
  support.equal(question(1).prompt, "Migrate 1 reservation and remove 1 reservation in the way?")
  support.equal(question(1).choices, { "Overwrite", "Leave" })
  support.equal(seen[2], ("in the way: 5001: %s/new"):format(work))
  support.equal(support.port(work .. "/new"), 5001)

  support.answer_with("Overwrite")
  vim.cmd("Trop migrate " .. arguments)

  support.note("migrated 1 reservation to")
  support.equal(support.port(work .. "/new"), 5000)
end

function M.migrate_bang_with_spaces()
  vim.fn.mkdir(work .. "/the old")
  support.trop(work .. "/the old", "reserve")
  vim.cmd.cd(work)

  vim.cmd([[Trop! migrate the\ old the\ new]])

  support.note("migrated 1 reservation to")
  support.equal(support.questions, {})
  support.equal(support.port(work .. "/the new"), 5000)
end

function M.migrate_nothing()
  vim.cmd(("Trop migrate %s/a %s/b"):format(work, work))

  support.note("there is nothing to migrate")
  support.equal(support.questions, {})
end

function M.list()
  vim.cmd("Trop list")
  support.note("nothing is reserved")
  support.trop(repository, "reserve", "--tag", "web")
  support.trop(repository, "reserve", "--path", work .. "/two\nlines", "--allow-unrelated-path", "--project", "shop")

  vim.cmd("Trop list")
  local lines = shown("trop://reservations")
  support.equal(#lines, 3)
  support.contains(lines[3], work .. "/two\\nlines")
  support.equal(vim.split(lines[1], "%s%s+"), { "PORT", "PATH", "TAG", "PROJECT", "TASK", "IN USE" })
  support.equal(vim.split(lines[2], "%s%s+"), { "5000", repository, "web", "shop", "main", "-" })

  vim.api.nvim_feedkeys("q", "xt", false)
  support.equal(vim.fn.bufwinid("trop://reservations"), -1)
end

function M.list_pages()
  vim.cmd("Trop list")

  local lines = support.eventually("all reservations", function()
    local all = shown("trop://reservations")
    return #all > 1200 and all
  end)
  support.equal(#lines, 1501)
end

function M.list_projects()
  vim.cmd("Trop list-projects")
  support.note("there are no projects")
  support.trop(repository, "reserve")

  vim.cmd("Trop list-projects")

  support.equal(support.note("projects:").text, "trop: projects:\nshop")
end

function M.init()
  vim.cmd("Trop init")
  support.contains(support.note("initialized").text, "createDatabase")
  support.equal(vim.fn.filereadable(vim.env.TROP_DATA_DIR .. "/trop.db"), 1)

  vim.cmd("Trop init")

  support.note("is there already")
end

function M.log()
  vim.cmd("Trop")
  support.note("port 5000")

  vim.cmd("Trop log")

  support.contains(table.concat(shown("trop://log"), "\n"), "starting " .. vim.fn.exepath("trop-server"))
end

function M.restart()
  vim.cmd("Trop")
  support.note("port 5000")
  local before = support.server_process()

  vim.cmd("Trop restart")

  support.note("the server was started again")
  support.equal(support.server_process() ~= before, true)
  support.status("5000")
end

function M.wrong_lines()
  vim.cmd("Trop resreve")
  support.note(
    "there is no subcommand resreve; there are init, list, list-projects, log, migrate, release, reserve, restart"
  )
  vim.cmd("Trop migrate one")
  support.note("usage: :Trop migrate {from} {to}")
  vim.cmd("Trop list more")
  support.note("usage: :Trop list")
  support.equal(package.loaded["trop.server"] ~= nil and require("trop.server").client(), nil)
end

function M.completion()
  support.trop(repository, "reserve", "--tag", "web")
  vim.fn.mkdir(work .. "/other one")
  support.trop(work .. "/other one", "reserve", "--tag", "api")

  completes("Trop ", { "init", "list", "list-projects", "log", "migrate", "release", "reserve", "restart" })
  completes("Trop li", { "list", "list-projects" })
  completes("Trop! rel", { "release" })
  completes("Trop reserve ", { "api", "web" })
  completes("Trop reserve w", { "web" })
  completes("Trop release ", { "web" })
  completes("Trop list ", {})
  local stored = work:gsub(" ", "\\ ") .. "/other\\ one"
  completes("Trop migrate " .. stored:sub(1, -3), { stored, stored .. "/" })
  completes(("Trop migrate %s %s/oth"):format(stored, work), { stored .. "/" })
  completes("Trop migrate a b ", {})
end

--- A path, a tag and a project with everything that would be obeyed.
local STRANGE = "x\27]0;T\7\nhint: run this\tb\127\u{9b}31m\u{202e}\u{2028}\u{61c}größe \u{1f469}\u{200d}\u{1f4bb}"
local STRANGE_SHOWN = "x\\x1b]0;T\\x07\\nhint: run this\\tb\\x7f\\x9b31m\\u202e\\u2028\\u061cgröße "
  .. "\u{1f469}\u{200d}\u{1f4bb}"

function M.strange_names_are_text()
  local path = work .. "/" .. STRANGE
  local place = work .. "/" .. STRANGE_SHOWN
  vim.fn.mkdir(path, "p")
  local insert = [[
import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as store:
    store.execute("INSERT INTO reservations VALUES (?, ?, 5000, ?, ?, 0, 0)", sys.argv[2:])
]]
  support.trop(work, "init")
  local database = vim.env.TROP_DATA_DIR .. "/trop.db"
  vim.system({ vim.env.TEST_PYTHON, "-c", insert, database, path, STRANGE, STRANGE, STRANGE }):wait()

  vim.cmd("Trop list")
  local listed = shown("trop://reservations")
  support.equal(#listed, 2)
  for _ = 1, 3 do
    support.contains(listed[2], STRANGE_SHOWN)
    listed[2] = listed[2]:gsub(vim.pesc(STRANGE_SHOWN), "", 1)
  end

  vim.cmd("Trop list-projects")
  support.equal(support.note("projects:").text, "trop: projects:\n" .. STRANGE_SHOWN)

  vim.cmd.cd({ args = { path }, magic = { file = false, bar = false } })
  support.answer_with("Leave")
  vim.cmd("Trop release")
  support.equal(question(1).prompt, ("Release 5000 (%s) of %s?"):format(STRANGE_SHOWN, place))
  support.status((STRANGE_SHOWN .. ":5000"))

  local completed = vim.fn.getcompletion("Trop release ", "cmdline")
  support.equal(completed, {})
  require("trop").reserve({ path = "/elsewhere/" .. STRANGE })
  support.contains(support.note("/elsewhere").text, STRANGE_SHOWN)
  for _, note in ipairs(support.notes) do
    support.equal(note.text:find("[%z\1-\9\11-\31\127]"), nil)
    support.equal(note.text:find("\nhint: run this", 1, true), nil)
  end
end

function M.what_the_server_says_is_text()
  vim.cmd("Trop list")
  support.note("nothing is reserved")
  local client = vim.lsp.get_clients()[1]
  local message = STRANGE .. " [a]\u{2060}(command:b)"

  client.handlers["window/showMessage"](nil, { type = 1, message = message }, { client_id = client.id })
  client.handlers["window/logMessage"](nil, { type = 1, message = message }, { client_id = client.id })
  support.answer_with("Leave")
  local ask = { type = 1, message = message, actions = { { title = "Leave" } } }
  coroutine.wrap(client.handlers["window/showMessageRequest"])(nil, ask, { client_id = client.id })

  support.equal(support.note("T\\x07").text, "trop: " .. STRANGE_SHOWN .. " [a](command:b)")
  support.contains(support.questions[1].prompt, STRANGE_SHOWN .. " [a](command:b)")
  for _, line in ipairs(require("trop.log").lines()) do
    support.equal(line:find("[%z\1-\31\127]"), nil)
  end
end

return M
