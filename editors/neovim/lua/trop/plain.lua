--- Text from elsewhere, so that an editor shows it as the text that it is: a path, a tag or a message holds what
--- somebody else chose.
local M = {}

local SHORT = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

---@param code integer
---@return string
local function escape(code)
  return (code < 0x100 and "\\x%02x" or "\\u%04x"):format(code)
end

---@param control string
---@return string
local function escape_ascii(control)
  return SHORT[control] or escape(control:byte())
end

--- The character of two bytes.
---@param character string
---@return string
local function escape_2(character)
  local first, second = character:byte(1, 2)
  return escape((first - 0xC0) * 0x40 + second - 0x80)
end

--- The character of three bytes; half of a surrogate pair is written in three, too.
---@param character string
---@return string
local function escape_3(character)
  local first, second, third = character:byte(1, 3)
  return escape(((first - 0xE0) * 0x40 + second - 0x80) * 0x40 + third - 0x80)
end

--- A text in one line: control characters, ends of lines and changes of the direction of writing are escaped, as the
--- server and the command line do it; all else stays as it is.
---@param text string in UTF-8
---@return string
function M.text(text)
  text = text:gsub("[%z\1-\31\127]", escape_ascii)
  text = text:gsub("\194[\128-\159]", escape_2):gsub("\216\156", escape_2)
  text = text:gsub("\226\128[\142\143\168-\174]", escape_3):gsub("\226\129[\166-\169]", escape_3)
  return (text:gsub("\237[\160-\191][\128-\191]", escape_3))
end

--- A text as a statusline shows it that evaluates what follows a %.
---@param text string
---@return string
function M.in_statusline(text)
  return (M.text(text):gsub("%%", "%%%%"))
end

return M
