--- What the scenarios have in common. They run inside a real Neovim, whose `trop` and server are real.
local M = {}

--- How long anything may take before a test gives it up: a bound on hanging, not a measure.
M.PATIENCE_MS = 60000

--- What was shown to the person, in this order.
---@type { text: string, level: integer }[]
M.notes = {}

--- The questions that were asked, and how each is answered: by what a function makes of the choices, or not at all.
---@type { prompt: string, choices: string[] }[]
M.questions = {}
---@type fun(choices: any[], question: { prompt: string, choices: string[] }): any
M.answer = function(_, question)
  error("nobody expected the question " .. question.prompt)
end

function M.listen()
  vim.notify = function(text, level)
    table.insert(M.notes, { text = text, level = level })
  end
  vim.ui.select = function(choices, options, on_choice)
    local shown = vim.tbl_map(options.format_item or tostring, choices)
    local question = { prompt = options.prompt, choices = shown }
    table.insert(M.questions, question)
    on_choice(M.answer(choices, question))
  end
end

--- Answer every question from now on with the choice of this title.
---@param title string
function M.answer_with(title)
  M.answer = function(choices, question)
    for index, shown in ipairs(question.choices) do
      if shown == title then
        return choices[index]
      end
    end
    error(("%s is none of %s"):format(title, vim.inspect(question.choices)))
  end
end

--- Wait until a condition holds; what it gives is given back.
---@generic T
---@param what string
---@param condition fun(): T?
---@return T
function M.eventually(what, condition)
  local value
  if not vim.wait(M.PATIENCE_MS, function()
    value = condition()
    return value and true or false
  end, 20) then
    error(
      ("this never came: %s\nnotes: %s\nlog: %s"):format(
        what,
        vim.inspect(M.notes),
        vim.inspect(require("trop.log").lines())
      ),
      2
    )
  end
  return value
end

--- Wait for a note that contains a text, and give it back.
---@param text string
---@return { text: string, level: integer }
function M.note(text)
  return M.eventually("a note with " .. text, function()
    for _, note in ipairs(M.notes) do
      if note.text:find(text, 1, true) then
        return note
      end
    end
  end)
end

function M.equal(actual, expected)
  if not vim.deep_equal(actual, expected) then
    error(("expected %s\nnot      %s"):format(vim.inspect(expected), vim.inspect(actual)), 2)
  end
end

function M.contains(text, part)
  if not text:find(part, 1, true) then
    error(("expected %s in %s"):format(vim.inspect(part), vim.inspect(text)), 2)
  end
end

--- Run the real `trop`, as another process.
---@param directory string
---@param ... string
---@return string stdout
function M.trop(directory, ...)
  local done = vim.system({ vim.env.TEST_TROP, ... }, { cwd = directory, text = true }):wait(M.PATIENCE_MS)
  if done.code ~= 0 then
    error(("trop ended with %d: %s"):format(done.code, done.stderr), 2)
  end
  return vim.trim(done.stdout)
end

--- The port that is stored for a directory and a tag, as another process sees it; nil if there is none.
---@param path string
---@param tag string?
---@return integer?
function M.port(path, tag)
  local listed = vim.json.decode(M.trop(vim.env.TEST_WORK, "call", "trop.list"), { luanil = { object = true } })
  for _, reservation in ipairs(listed.reservations) do
    if reservation.path == path and reservation.tag == tag then
      return reservation.port
    end
  end
end

--- A function of the API, until its answer.
---@param name string
---@param argument table?
---@return table? err
---@return table? result
function M.call(name, argument)
  local answer
  require("trop")[name](argument, function(err, result)
    answer = { err = err, result = result }
  end)
  M.eventually("the answer to " .. name, function()
    return answer
  end)
  return answer.err, answer.result
end

--- Wait for a statusline text.
---@param expected string
---@param bufnr integer?
function M.status(expected, bufnr)
  M.eventually("the status " .. vim.inspect(expected), function()
    return require("trop").status(bufnr) == expected
  end)
end

--- The process id of the server that runs.
---@return integer
function M.server_process()
  local children = vim.api.nvim_get_proc_children(vim.fn.getpid())
  for _, child in ipairs(children) do
    local info = vim.api.nvim_get_proc(child)
    if info and vim.uv.fs_stat(("/proc/%d"):format(child)) then
      local command = io.open(("/proc/%d/cmdline"):format(child)):read("*a")
      if command:find("trop-server", 1, true) then
        return child
      end
    end
  end
  error("no server runs")
end

--- Run one scenario of a file and end Neovim: with 0, or with 1 and the reason on stderr.
---@param file string
---@param name string
function M.run(file, name)
  M.listen()
  -- Not before the start is over: a scenario sees what somebody at the keyboard would.
  vim.schedule(function()
    local scenario = require(file)[name]
    local ok, reason = xpcall(scenario, debug.traceback)
    if not ok then
      io.stderr:write(reason .. "\n")
      vim.cmd("cquit 1")
    end
    vim.cmd("qall!")
  end)
end

return M
