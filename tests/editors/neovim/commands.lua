--- `:Trop` and its subcommands.
local support = require("support")

local M = {}
local repository = vim.env.TEST_REPOSITORY
local work = vim.env.TEST_WORK

-- A server that a command has started reserves for the folder meanwhile, before or after what the command reserves.
vim.g.trop = { reserve_on_open = "never" }

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

local function question(number)
  return support.eventually("a question", function()
    return support.questions[number]
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

function M.services()
  vim.fn.writefile({ "reservations: {services: {web: {}, api: {}}}" }, repository .. "/trop.yaml")
  vim.cmd("Trop services")

  local note = support.note("services")
  support.equal(require("trop").status(), "api:5001 web:5000")
  support.equal(note.text, "trop: services (created): web 5000, api 5001")
  support.equal(support.trop(repository, "reserve", "--tag", "api"), "5001")
end

function M.services_missing()
  vim.cmd("Trop services")

  support.equal(support.note("trop.yaml").level, vim.log.levels.ERROR)
end

function M.status_after_a_reservation()
  local first
  require("trop").reserve({}, function(_, result)
    first = { require("trop").status(), tostring(result.reservation.port) }
  end)

  support.eventually("an answer", function()
    return first
  end)
  support.equal(first, { "5000", "5000" })
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

--- What comes while a question stands there is in no question, and stays.
function M.asked_anew()
  local place = repository
  for _, tag in ipairs({ "a", "b", "c", "d", "e", "f" }) do
    support.trop(place, "reserve", "--tag", tag)
  end
  local beside = {}
  support.answer = function(choices)
    table.insert(beside, shown("trop://preview"))
    if #support.questions == 1 then
      support.trop(place, "reserve", "--tag", "g")
    end
    return choices[#support.questions == 1 and 1 or 2]
  end

  vim.cmd("Trop release")
  support.contains(question(1).prompt, "5004 (e) and 1 more of ")
  support.contains(question(2).prompt, "5004 (e) and 2 more of ")
  support.equal({ #beside[1], #beside[2] }, { 6, 7 })
  support.contains(beside[2][7], "5006 (g): ")
  support.equal(support.port(place, "a"), 5000)

  -- The same of a migration: what is in the way is named before it goes.
  local new = vim.fs.dirname(place) .. "/new"
  vim.fn.mkdir(new)
  support.answer = function(choices)
    if #support.questions == 3 then
      support.trop(new, "reserve", "--tag", "a")
    end
    return choices[#support.questions == 3 and 1 or 2]
  end
  vim.cmd(("Trop migrate %s %s"):format(place, new))
  support.contains(question(4).prompt, "and remove 5007 (a) in the way?")
  support.equal(support.port(new, "a"), 5007)
end

--- A directory may be called like a variable.
function M.variables_in_names()
  vim.env.SECRET = "hunter2"
  local place = work .. "/$SECRET"
  vim.fn.mkdir(place .. "/.git", "p")
  vim.fn.writefile({}, place .. "/file")
  vim.cmd.edit({ args = { place .. "/file" }, magic = { file = false, bar = false } })
  vim.cmd("Trop reserve x")
  support.note("port 5000")
  support.equal(support.port(place, "x"), 5000)

  vim.cmd(("Trop! migrate %s %s/moved"):format(place, work))
  support.note("migrated 1 reservation")
  support.equal(support.port(work .. "/moved", "x"), 5000)
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

function M.migrate_previews()
  vim.fn.mkdir(work .. "/old/app", "p")
  support.trop(work .. "/old", "reserve")
  support.trop(work .. "/old/app", "reserve", "--tag", "web")
  local seen = answer_and_look("Leave")
  local line = ("Trop migrate %s/old %s/new"):format(work, work)
  vim.cmd(line)
  support.equal(question(1), {
    prompt = ("Migrate 5000, 5001 (web) from %s/old to %s/new?"):format(work, work),
    choices = { "Migrate", "Leave" },
  })
  support.equal(seen[1], ("5000: %s/old -> %s/new"):format(work, work))
  support.equal(seen[2], ("5001 (web): %s/old/app -> %s/new/app"):format(work, work))
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
  local asked = ("Migrate 5000 from %s/old to %s/new and remove 5001 in the way?"):format(work, work)
  support.equal(question(1).prompt, asked)
  support.equal(question(1).choices, { "Overwrite", "Leave" })
  support.equal(seen[1], ("in the way: 5001: %s/new"):format(work))
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
  support.equal(vim.split(lines[1], "%s%s+"), { "PORT", "PATH", "TAG", "PROJECT", "TASK", "IN USE BY" })
  support.equal(vim.split(lines[2], "%s%s+"), { "5000", repository, "web", "shop", "main", "-" })

  vim.api.nvim_feedkeys("q", "xt", false)
  support.equal(vim.fn.bufwinid("trop://reservations"), -1)
end

--- Something listens on a reserved port: it is said what, and whose that is.
function M.list_tells_who()
  support.trop(repository, "reserve")
  local listener = assert(vim.uv.new_tcp())
  listener:bind("127.0.0.1", support.port(repository))
  listener:listen(1, function() end)

  vim.cmd("Trop list")

  local cells = vim.split(shown("trop://reservations")[2], "%s%s+")
  listener:close()
  support.equal(cells[6], ("%s (%d), own"):format(vim.fn.fnamemodify(vim.v.progpath, ":t"), vim.fn.getpid()))
end

--- What is reserved has another directory's program on it: whoever gets the port is told.
function M.reserve_tells_who()
  local other = work .. "/other"
  vim.system({ "git", "init", "-q", other }):wait()
  support.trop(repository, "reserve")
  support.trop(other, "reserve", "--tag", "web")
  local listener = assert(vim.uv.new_tcp())
  local port = support.port(other, "web")
  listener:bind("127.0.0.1", port)
  listener:listen(1, function() end)
  vim.cmd.edit(other .. "/serve.sh")

  vim.cmd("Trop reserve web")

  support.note(("port %d for"):format(port))
  listener:close()
  local name = vim.fn.fnamemodify(vim.v.progpath, ":t")
  support.note(("on %d (web): %s (%d), other: "):format(port, name, vim.fn.getpid()))
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

  support.equal(shown("trop://projects"), { "shop" })
end

function M.init()
  vim.cmd("Trop init")
  support.equal(support.note("initialized").text, "trop: initialized " .. vim.env.TROP_DATA_DIR)
  support.equal(vim.fn.filereadable(vim.env.TROP_DATA_DIR .. "/trop.db"), 1)

  vim.cmd("Trop init")

  support.note("is there already")
end

function M.history()
  vim.cmd("Trop history")
  support.note("nothing is on record")
  support.trop(repository, "reserve")
  support.trop(repository, "reserve", "--tag", "web")
  support.trop(repository, "undo")

  vim.cmd("Trop history")

  local lines = shown("trop://history")
  support.equal(#lines, 4)
  support.equal(
    vim.split(lines[1], "%s%s+"),
    { "NUMBER", "TIME (UTC)", "WHAT", "COMMAND", "DOOR", "DIRECTORY", "UNDONE BY" }
  )
  local newest, undone = vim.split(lines[2], "%s%s+"), vim.split(lines[3], "%s%s+")
  support.equal({ newest[1], newest[4], newest[5], newest[6] }, { "3", "trop.undo", "cli", repository })
  support.equal({ newest[3], newest[7] }, { "5001 (web) given up", "-" })
  support.equal(newest[2]:match("^%d%d%d%d%-%d%d%-%d%d %d%d:%d%d:%d%d$"), newest[2])
  support.equal({ undone[1], undone[3], undone[4], undone[7] }, { "2", "5001 (web) reserved", "trop.reserve", "3" })

  vim.api.nvim_feedkeys("q", "xt", false)
  support.equal(vim.fn.bufwinid("trop://history"), -1)
end

function M.undo_asks()
  support.trop(repository, "reserve")
  support.trop(repository, "reserve", "--tag", "web")
  support.trop(repository, "release", "--recursive")
  local seen = answer_and_look("Leave")

  vim.cmd("Trop undo")

  support.equal(question(1), {
    prompt = "Undo operation 3, trop.release: 5000, 5001 (web) come back?",
    choices = { "Undo", "Leave" },
  })
  support.equal(seen, { "comes back: 5000: " .. repository, "comes back: 5001 (web): " .. repository })
  support.equal(vim.fn.bufwinid("trop://preview"), -1)
  support.equal(support.port(repository), nil)

  support.answer_with("Undo")
  vim.cmd("Trop undo")

  support.note("undone operation 3: 2 reservations as before")
  support.equal(support.port(repository), 5000)
  support.equal(support.port(repository, "web"), 5001)
end

function M.undo_by_number()
  support.trop(repository, "reserve")
  support.trop(repository, "reserve", "--tag", "web")
  local seen = answer_and_look("Undo")

  vim.cmd("Trop undo 1")

  support.note("undone operation 1: 1 reservation given up")
  support.equal(question(1).prompt, "Undo operation 1, trop.reserve: 5000 is given up?")
  support.equal(seen, { "given up: 5000: " .. repository })
  support.equal(support.port(repository), nil)
  support.equal(support.port(repository, "web"), 5001)

  -- The undo is operation 3, and is undone in its turn.
  vim.cmd("Trop! undo 3")
  support.note("undone operation 3")
  support.equal(#support.questions, 1)
  support.equal(support.port(repository), 5000)

  vim.cmd("Trop undo 3")
  support.contains(support.note("operation 3 was undone already, by operation 4").text, "\n")
  vim.cmd("Trop undo 99")
  support.note("there is no operation 99 on record")
  vim.cmd("Trop undo last")
  support.note("last is no number of an operation; :Trop history shows them")
end

function M.undo_of_a_move()
  vim.fn.mkdir(work .. "/old", "p")
  support.trop(work .. "/old", "reserve")
  support.trop(work, "migrate", "--from", work .. "/old", "--to", work .. "/new")
  local seen = answer_and_look("Undo")

  vim.cmd("Trop undo 2")

  support.note("undone operation 2: 1 reservation as before")
  support.equal(question(1).prompt, "Undo operation 2, trop.migrate: 5000 comes back?")
  support.equal(seen, { ("given up: 5000: %s/new"):format(work), ("comes back: 5000: %s/old"):format(work) })
  support.equal(support.port(work .. "/old"), 5000)
end

function M.undo_bang()
  support.trop(repository, "reserve")
  support.trop(work, "reserve", "--path", work .. "/elsewhere")

  vim.cmd("Trop! undo")

  support.note("undone operation 1: 1 reservation given up")
  support.equal(support.questions, {})
  support.equal(support.port(repository), nil)
  support.equal(support.port(work .. "/elsewhere"), 5001)

  vim.cmd("Trop undo")
  support.note("nothing that could be undone was done")
end

function M.undo_conflicts()
  support.trop(repository, "reserve")
  support.trop(repository, "reserve", "--tag", "web")
  support.trop(repository, "release", "--recursive")
  support.trop(repository, "reserve", "--tag", "api")
  support.trop(repository, "reserve", "--tag", "web")

  vim.cmd("Trop undo 3")

  local lines = vim.split(support.note("cannot be undone").text, "\n")
  support.equal(lines[1], "trop: operation 3 cannot be undone as a whole, so nothing was done:")
  support.equal(lines[2], ("5001 (web): %s is reserved anew since"):format(repository))
  support.equal(lines[3], ("5000 (api): %s has the port 5000 now"):format(repository))
  support.equal(#lines, 4)
  support.contains(lines[4], "trop history shows what was done since")
  support.equal(support.questions, {})
end

--- Somebody does something while the question stands there: what is done is what was shown, or it is asked anew.
function M.undo_asks_anew()
  support.trop(repository, "reserve")
  support.answer = function(choices)
    if #support.questions == 1 then
      support.trop(repository, "reserve", "--tag", "web")
    end
    return choices[#support.questions == 1 and 1 or 2]
  end

  vim.cmd("Trop undo")

  support.equal(question(2).prompt, "Undo operation 2, trop.reserve: 5001 (web) is given up?")
  support.equal(support.questions[1].prompt, "Undo operation 1, trop.reserve: 5000 is given up?")
  support.equal(support.port(repository), 5000)
  support.equal(support.port(repository, "web"), 5001)
  support.equal(support.notes, {})
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

  -- What was released does not come back with the next server: the folder was open all the time.
  vim.cmd("Trop! release")
  support.note("released 5000")
  support.notes = {}
  vim.cmd("Trop restart")
  support.note("the server was started again")
  for _ = 1, 3 do
    vim.cmd("Trop list")
    support.note("nothing is reserved")
    support.notes = {}
  end
end

function M.wrong_lines()
  vim.cmd("Trop resreve")
  support.note(
    "there is no subcommand resreve; there are history, init, list, list-projects, log, migrate, release, reserve, "
      .. "restart, services, undo"
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

  completes(
    "Trop ",
    vim.split("history init list list-projects log migrate release reserve restart services undo", " ")
  )
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
  support.trop(repository, "undo", "1")
  completes("Trop undo ", { "3", "2" })
  completes("Trop undo 2", { "2" })
  completes("Trop undo 2 ", {})
  completes("Trop history ", {})
end

--- More than one answer holds: the last of what is stored is offered, too.
function M.completion_of_many()
  support.trop(repository, "reserve", "--tag", "web")
  completes("Trop reserve w", { "web" })
  completes("Trop migrate /a/01499", { "/a/01499" })
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
  support.equal(shown("trop://projects"), { STRANGE_SHOWN })

  vim.cmd.cd({ args = { path }, magic = { file = false, bar = false } })
  support.trop(path, "reserve", "--tag", "web")
  vim.cmd("Trop history")
  support.contains(shown("trop://history")[2], STRANGE_SHOWN)
  local beside = answer_and_look("Undo")
  vim.cmd("Trop undo")
  support.note("undone operation 1")
  support.equal(question(1).prompt, "Undo operation 1, trop.reserve: 5001 (web) is given up?")
  support.equal(beside, { "given up: 5001 (web): " .. place })

  support.answer_with("Leave")
  vim.cmd("Trop release")
  support.equal(question(2).prompt, ("Release 5000 (%s) of %s?"):format(STRANGE_SHOWN, place))
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
