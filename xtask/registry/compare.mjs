// Compares what a client's command gave with two registries: the exit code, and output that is JSON or a list. Addresses, times and
// digests of the registries' own making are left out.

const TIME = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z\b/g
const DURATION = /\b\d+(\.\d+)?m?s\b/g

/** The values that a command printed: JSON, JSON lines, or text without what changes from run to run. */
function values (text, urls) {
  for (const [from, to] of urls) {
    text = text.replaceAll(from, to)
  }
  text = text.replaceAll(TIME, 'TIME').replaceAll(DURATION, 'DURATION').trim()
  const parse = part => { try { return JSON.parse(part) } catch { return undefined } }
  const whole = parse(text)
  if (whole !== undefined) {
    return whole
  }
  const lines = text.split('\n').map(line => line.trim()).filter(Boolean)
  const parsed = lines.map(parse)
  return parsed.length > 0 && parsed.every(value => value !== undefined) ? parsed : lines
}

/** The paths at which two values differ. */
function differences (one, other, path = '') {
  const isObject = value => value !== null && typeof value === 'object'
  if (!isObject(one) || !isObject(other) || Array.isArray(one) !== Array.isArray(other)) {
    return Object.is(one, other) ? [] : [path || 'the whole output']
  }
  const keys = new Set([...Object.keys(one), ...Object.keys(other)])
  return [...keys].flatMap(key => differences(one[key], other[key], path ? `${path}.${key}` : key))
}

/** What differs between two results of one command; empty where nothing does. */
export function compare (one, urlsOfOne, other, urlsOfOther) {
  const found = []
  if (one.code !== other.code) {
    found.push(`exit code ${one.code}, ${other.code}`)
  } else if ((one.json || one.text) && (one.code === 0 || one.json)) {
    found.push(...differences(values(one.stdout, urlsOfOne), values(other.stdout, urlsOfOther)))
  }
  return found
}
