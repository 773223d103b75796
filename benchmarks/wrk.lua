-- Sends the requests of the file REQUESTS in rotation.
-- A line is a token ("-" for none), a tab, and a body (empty for a GET).
--
-- With CHAIN, each request carries the refresh token of its last response.
local lines, requests, number = {}, {}, 0
local chain = os.getenv("CHAIN")
local threads = {}
failed = 0

for line in io.lines(os.getenv("REQUESTS")) do
  lines[#lines + 1] = line
end

local function format(line)
  local token, body = line:match("^([^\t]*)\t(.*)$")
  local headers = { ["Content-Type"] = "application/json" }
  if token ~= "-" then
    headers["Authorization"] = "Bearer " .. token
  end
  return wrk.format(body == "" and "GET" or "POST", nil, headers, body ~= "" and body or nil)
end

function setup(thread)
  threads[#threads + 1] = thread
end

function init()
  for i, line in ipairs(lines) do
    requests[i] = format(line)
  end
end

function request()
  number = number % #requests + 1
  return requests[number]
end

-- A GraphQL error has status 200.
function response(_, _, body)
  if body:find('"errors"', 1, true) then
    failed = failed + 1
  elseif chain then
    local token = body:match('"refreshToken": ?"([^"]+)"')
    lines[number] = lines[number]:gsub('"token":"[^"]*"', '"token":"' .. token .. '"')
    requests[number] = format(lines[number])
  end
end

function done(summary, latency)
  local errors = 0
  for _, thread in ipairs(threads) do
    errors = errors + thread:get("failed")
  end
  for _, count in pairs(summary.errors) do
    errors = errors + count
  end
  io.write(string.format(
    '{"requests": %d, "microseconds": %d, "failed": %d, "p50": %f, "p99": %f}\n',
    summary.requests, summary.duration, errors, latency:percentile(50), latency:percentile(99)
  ))
end
