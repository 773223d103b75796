-- For wrk: the same question from one user after the other.
local tokens = {}
for line in io.lines(os.getenv("TOKENS")) do
  tokens[#tokens + 1] = line
end

local number = 0
local body = os.getenv("BODY")

function request()
  number = number % #tokens + 1
  local headers = { ["Authorization"] = "Bearer " .. tokens[number], ["Content-Type"] = "application/json" }
  return wrk.format(os.getenv("METHOD"), nil, headers, body ~= "" and body or nil)
end
