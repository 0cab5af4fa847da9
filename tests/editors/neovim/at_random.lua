--- An editor in which somebody does whatever comes into reach, while others do the same in terminals and as agents.
local support = require("support")

local M = {}
local shop = vim.env.TEST_REPOSITORY
local work = vim.env.TEST_WORK
local PLACES = { shop, work .. "/shop-login", work .. "/bank", work .. "/loose" }
local AWAY = work .. "/away"
local FILE = shop .. "/trop.yaml"
local LIST = "trop://reservations"
local TAGS = { "web", "api", "no [tag](x) %{y}" }
local TEXTS = {
  "reservations: {services: {web: {}, api: {}}}",
  "reservations: {services: {web: 3000, db: {}}}",
  "reservatons: [",
  "",
}
local ENDED_LATE = 124 -- What vim.system gives for a process that it had to end.
local ENOUGH, ALLOWED_FILES, ALLOWED_MEMORY = 6, 5, 1.25

---@generic T
---@param all T[]
---@return T
local function one_of(all)
  return all[math.random(#all)]
end

--- Somebody else's command, which may be refused.
---@param directory string
---@param ... string
local function run(directory, ...)
  local cwd = vim.uv.fs_stat(directory) and directory or work
  local done = vim.system({ vim.env.TEST_TROP, ... }, { cwd = cwd, text = true }):wait(support.PATIENCE_MS)
  support.equal({ done.stderr:find("Traceback") or false, done.code == ENDED_LATE }, { false, false })
end

--- An agent's session with the MCP server, which lasts.
---@return fun(tool: string, arguments: table) call waits for the answer, which may be a refusal
---@return fun() close
local function agent()
  local rest, last, answers = "", 0, {}
  local process = vim.system({ "trop-server", "--mcp" }, {
    cwd = work,
    stdin = true,
    stdout = function(_, piece)
      rest = rest .. (piece or "")
      for line in rest:gmatch("([^\n]*)\n") do
        local message = vim.json.decode(line)
        answers[message.id or 0] = message
      end
      rest = rest:match("[^\n]*$")
    end,
  })
  local function ask(method, params)
    last = last + 1
    process:write(vim.json.encode({ jsonrpc = "2.0", id = last, method = method, params = params }) .. "\n")
    local answer = support.eventually("the agent's answer", function()
      return answers[last]
    end)
    answers = {}
    return answer
  end
  ask("initialize", {
    protocolVersion = "2025-06-18",
    capabilities = vim.empty_dict(),
    clientInfo = { name = "agent", version = "1" },
  })
  process:write('{"jsonrpc":"2.0","method":"notifications/initialized"}\n')
  return function(tool, arguments)
    local answer = ask("tools/call", { name = tool, arguments = arguments })
    support.equal(answer.error, nil)
  end, function()
    process:write(nil)
    support.equal(process:wait(support.PATIENCE_MS).code ~= ENDED_LATE, true)
  end
end

--- The memory in MiB and the number of open files of a process.
---@param pid integer
local function held(pid)
  local status = table.concat(vim.fn.readfile(("/proc/%d/status"):format(pid)), "\n")
  local files = vim.fn.readdir(("/proc/%d/fd"):format(pid))
  return { pid = pid, memory = math.floor(tonumber(status:match("VmRSS:%s+(%d+)")) / 1024 + 0.5), files = #files }
end

---@param call fun(tool: string, arguments: table)
---@return table<string, fun()>
local function all_actions(call)
  local actions = {}
  local function command(line)
    vim.cmd(one_of({ "Trop ", "Trop! " }) .. line)
  end
  local function tagged(line)
    return math.random(2) == 1 and line or ("%s %s"):format(line, one_of({ "web", "api" }))
  end
  local function project()
    if vim.uv.fs_stat(FILE) and vim.api.nvim_buf_get_name(0) ~= FILE then
      vim.cmd.edit(FILE)
    end
    return vim.uv.fs_stat(FILE)
  end

  actions["a command"] = function()
    command(one_of({ "services", "list", "history", "list-projects", "init", "log", "undo" }))
  end
  actions["a reservation"] = function()
    command(tagged("reserve"))
  end
  actions["a release"] = function()
    command(tagged("release"))
  end
  actions["a migration"] = function()
    command(("migrate %s %s"):format(one_of(PLACES), one_of(PLACES)))
  end
  actions["another file"] = function()
    vim.cmd.edit(one_of({ shop .. "/a.txt", work .. "/bank/b.txt", work .. "/shop-login/c.txt" }))
    require("trop").status()
  end
  actions["a saved file"] = function()
    vim.fn.writefile({ one_of(TEXTS) }, FILE)
    -- Nobody is here to answer whether to write over what has changed since.
    if vim.fn.bufnr(FILE) ~= -1 then
      vim.api.nvim_buf_call(vim.fn.bufnr(FILE), function()
        vim.cmd("silent edit!")
      end)
    end
  end
  actions["a typed file"] = function()
    if project() then
      vim.api.nvim_buf_set_lines(0, 0, -1, false, { one_of(TEXTS) })
    end
  end
  actions["a written file"] = function()
    if project() then
      vim.cmd("write!")
    end
  end
  actions["a code action"] = function()
    if project() then
      vim.lsp.buf.code_action({ range = { start = { 1, 0 }, ["end"] = { 1, #vim.fn.getline(1) } } })
    end
  end
  actions["a closed file"] = function()
    if vim.fn.bufnr(FILE) ~= -1 then
      vim.api.nvim_buf_delete(vim.fn.bufnr(FILE), { force = true })
    end
  end
  actions["a reservation in a terminal"] = function()
    run(one_of(PLACES), "reserve", unpack(one_of({ {}, { "--tag", one_of(TAGS) } })))
  end
  actions["a release in a terminal"] = function()
    run(one_of(PLACES), "release", unpack(one_of({ {}, { "--recursive" }, { "--tag", "web" } })))
  end
  actions["a migration in a terminal"] = function()
    run(work, "migrate", "--from", one_of(PLACES), "--to", one_of(PLACES), "--force")
  end
  actions["an undo in a terminal"] = function()
    run(one_of(PLACES), "undo", "--any", "--allow-unrelated-path")
  end
  actions["a group in a terminal"] = function()
    run(shop, "autoreserve", "--shell", "sh")
  end
  actions["an agent's reservation"] = function()
    call("trop_reserve", { folder = one_of(PLACES), tag = one_of({ vim.NIL, one_of(TAGS) }) })
  end
  actions["an agent's release"] = function()
    call("trop_release", { folder = one_of(PLACES), tag = one_of({ vim.NIL, "api" }) })
  end
  actions["an agent's look"] = function()
    call("trop_list", { includeOccupancy = true })
  end
  actions["a directory that comes and goes"] = function()
    local loose = PLACES[4]
    if vim.uv.fs_stat(loose) then
      vim.uv.fs_rename(loose, AWAY)
    else
      vim.uv.fs_rename(AWAY, loose)
    end
  end
  actions["a renamed directory"] = function()
    local app, site = shop .. "/app", shop .. "/site"
    local from, to = unpack(vim.uv.fs_stat(app) and { app, site } or { site, app })
    vim.uv.fs_rename(from, to)
    require("trop").renamed(from, to)
  end
  return actions
end

--- Nothing that was said is about an error that nobody has dealt with.
local function listen()
  for _, note in ipairs(support.notes) do
    support.equal(note.text:find("[tT]raceback") or note.text:find("internal error"), nil)
  end
  support.equal(vim.v.errmsg, "")
  support.notes, support.questions = {}, {}
end

---@return table[] rows as another process sees them
local function stored()
  return vim.json.decode(support.trop(work, "list", "--format", "json", "--quiet"), { luanil = { object = true } })
end

--- The text of the statusline in a directory, by what is stored.
---@param rows table[]
---@param place string
---@return string
local function status_of(rows, place)
  local words = {}
  for _, row in ipairs(rows) do
    if row.path == place then
      table.insert(words, (row.tag and row.tag .. ":" or "") .. row.port)
    end
  end
  return (table.concat(words, " "):gsub("%%", "%%%%"))
end

--- The lines of the list, without what stands behind the directory.
---@return string[]
local function listed()
  local shown = {}
  for _, line in ipairs(vim.api.nvim_buf_get_lines(vim.fn.bufnr(LIST), 1, -1, false)) do
    table.insert(shown, (line:gsub("^(%d+)%s+(%S+).*$", "%1 %2")))
  end
  return shown
end

--- How the hints at the services of the file begin, by what is stored.
---@param rows table[]
---@return string[]
local function hints_of(rows)
  return vim.tbl_map(function(tag)
    for _, row in ipairs(rows) do
      if row.path == shop and row.tag == tag then
        return ("%s %d"):format(tag, row.port)
      end
    end
    return tag .. " not reserved"
  end, { "web", "api" })
end

--- What is shown is, in the end, what is stored then: in the statusline, in the list, and behind each service of the
--- file. What was begun last may still be on its way.
local function compare()
  for _, place in ipairs({ shop, work .. "/bank", work .. "/shop-login" }) do
    vim.cmd.edit(place .. "/a.txt")
    support.eventually("the status of " .. place, function()
      return require("trop").status() == status_of(stored(), place)
    end)
  end

  if #stored() > 0 then
    -- It shows what was stored when it was asked for.
    local asked = vim.uv.now()
    local shown, expected
    repeat
      if vim.fn.bufnr(LIST) ~= -1 then
        vim.cmd("bwipeout! " .. LIST)
      end
      vim.cmd("Trop list")
      support.eventually("a list", function()
        return vim.fn.bufnr(LIST) ~= -1
      end)
      shown = listed()
      expected = vim.tbl_map(function(row)
        return ("%d %s"):format(row.port, vim.fn.fnamemodify(row.path, ":~"))
      end, stored())
    until vim.deep_equal(shown, expected) or vim.uv.now() - asked > support.PATIENCE_MS
    support.equal(shown, expected)
  end

  vim.cmd("silent only!")
  vim.fn.writefile({ TEXTS[1] }, FILE)
  vim.cmd("edit! " .. FILE)
  vim.lsp.inlay_hint.enable(true, { bufnr = 0 })
  support.eventually("the hints that show what is stored", function()
    local shown = vim.tbl_map(function(hint)
      return hint.inlay_hint.label
    end, vim.lsp.inlay_hint.get({ bufnr = 0 }))
    local expected = hints_of(stored())
    return #shown == 2 and vim.startswith(shown[1], expected[1]) and vim.startswith(shown[2], expected[2])
  end)
end

--- After a third of the time, whatever is loaded on its first use has been used.
---@param samples table[]
local function judge(samples)
  if #samples < ENOUGH then
    return io.stderr:write("too short to tell whether anything grows\n")
  end
  local early, late = samples[math.floor(#samples / 3) + 1], samples[#samples]
  for _, process in ipairs({ "editor", "server" }) do
    support.equal(late[process].pid, early[process].pid)
    support.equal({ process, late[process].files <= early[process].files + ALLOWED_FILES }, { process, true })
    support.equal({ process, late[process].memory <= early[process].memory * ALLOWED_MEMORY }, { process, true })
  end
end

function M.acts()
  local seconds = tonumber(vim.env.TEST_SECONDS)
  local seed = tonumber(vim.env.TEST_SEED) or os.time()
  math.randomseed(seed)
  io.stderr:write(("seed %d\n"):format(seed))
  vim.o.lines, vim.o.swapfile = 60, false
  vim.api.nvim_create_autocmd("FileChangedShell", {
    callback = function()
      vim.v.fcs_choice = "reload"
    end,
  })
  vim.fn.mkdir(PLACES[4])
  vim.fn.mkdir(shop .. "/app")
  support.trop(shop, "reserve", "--path", shop .. "/app")
  support.answer = function(choices)
    return math.random(3) > 1 and one_of(choices) or nil
  end
  local call, close = agent()
  local all = all_actions(call)
  local names = vim.fn.sort(vim.tbl_keys(all))

  local begun, done, samples, restarted = vim.uv.now(), {}, {}, false
  local function passed()
    vim.uv.update_time()
    return (vim.uv.now() - begun) / 1000
  end
  local function sample()
    collectgarbage()
    local server, editor = held(support.server_process()), held(vim.fn.getpid())
    table.insert(samples, { at = math.floor(passed()), editor = editor, server = server })
  end
  while passed() < seconds do
    local name = one_of(names)
    io.stderr:write(("%d s: %s\n"):format(passed(), name))
    done[name] = (done[name] or 0) + 1
    all[name]()
    vim.wait(math.random(100)) -- What comes later comes into the way of the next action, which is as good.
    vim.cmd("silent only!")
    listen()
    if not restarted and passed() > seconds / 10 then
      -- Once, and early: what it holds is that of one process from then on.
      vim.cmd("Trop restart")
      support.note("the server was started again")
      restarted = true
      sample()
    elseif restarted and passed() - samples[#samples].at > math.max(30, seconds / 15) then
      sample()
    end
  end

  compare()
  listen()
  sample()
  close()
  io.stderr:write(("did %s\n"):format(vim.json.encode(done)))
  for _, each in ipairs(samples) do
    io.stderr:write(vim.json.encode(each) .. "\n")
  end
  judge(samples)
end

return M
