// Differences in how old and damaged lockfiles are read that docs/npm-differences.md describes, recognised by what brings
// them about.
'use strict'

const path = require('node:path')
const { short } = require('../installs/differences.js')

const SECTIONS = ['dependencies', 'optionalDependencies', 'devDependencies', 'peerDependencies']

const parse = text => {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}

/** The entry that a package at `from` finds for a name. */
const resolve = (packages, from, name) => {
  let folder = packages[from]?.link ? packages[from].resolved : from
  for (;;) {
    const at = `${folder}${folder ? '/' : ''}node_modules/${name}`
    if (packages[at]) {
      return at
    }
    if (!folder) {
      return undefined
    }
    folder = folder.includes('/') ? folder.slice(0, folder.lastIndexOf('/')) : ''
  }
}

/** Everything that these packages lead to, with themselves; a link leads to what its folder requires. */
const reached = (packages, paths) => {
  const found = new Set(paths)
  for (const at of found) {
    const entry = packages[at]?.link ? packages[packages[at].resolved] : packages[at]
    for (const name of SECTIONS.flatMap(section => Object.keys(entry?.[section] || {}))) {
      const target = resolve(packages, at, name)
      target && found.add(target)
    }
  }
  return found
}

/** The entries of a lockfile of version 1 that npm does not complete: aliases, and what is below folders. */
const incomplete = lock => {
  const found = []
  const walk = (entries, folder, isBelow) => {
    for (const [name, entry] of Object.entries(entries || {})) {
      const at = `${folder}${folder ? '/' : ''}node_modules/${name}`
      const target = /^file:(?!.*\.t(ar\.)?gz$)(.*)/.exec(entry.version)?.[2]
      const isAlias = String(entry.version).startsWith('npm:') || new RegExp(`^http[^#]*/(?!${name}/-/)[^/]+/-/`).test(entry.resolved)
      if (isBelow || isAlias) {
        found.push(at)
      }
      walk(entry.dependencies, target === undefined ? at : path.normalize(target), isBelow || target !== undefined)
    }
  }
  walk(lock.dependencies, '', false)
  return found
}

/** The entries of any lockfile by path; those of version 1 with what they require. */
const entriesOf = lock => {
  const found = { ...lock.packages }
  const walk = (entries, folder) => {
    for (const [name, entry] of Object.entries(entries || {})) {
      const at = `${folder}${folder ? '/' : ''}node_modules/${name}`
      found[at] = { ...entry, dependencies: entry.requires }
      walk(entry.dependencies, at)
    }
  }
  lock.packages || walk(lock.dependencies, '')
  return found
}

/** The dependents of a lockfile, with the names, that require an entry without an address by a tag: npm asks for the tag again. */
const tagged = (start, root, packages) => {
  const before = entriesOf(start)
  const isBare = at => before[at] && !before[at].resolved && !before[at].link
  return Object.entries({ ...packages, '': root }).flatMap(([from, entry]) =>
    SECTIONS.flatMap(section => Object.entries(entry[section] || {}))
      .filter(([name, spec]) => /^(npm:.*@)?(latest|next)$/.test(spec) && isBare(resolve(before, from, name)))
      .map(([name]) => [from, name]))
}

/** The package that a line of differences is about. */
const packageOf = line => {
  const [, entry] = /: (?:entry|hidden) ((?:\S+\/)?node_modules\/(?:@\S+?\/)?[^\s/:]+)[ :]/.exec(line) || []
  const [, file] = /: file project\/((?:[^:]*\/)?node_modules\/(?:@[^/]+\/)?[^/:]+)[/:]/.exec(line) || []
  const [, old] = /: part for old npm (\S+)[ :]/.exec(line) || []
  return entry || file || old && `node_modules/${old}`
}

/** The packages that a command's link leads to, for npm and for dx. */
const linked = line => {
  const [, folder, theirs, ours] = /: file project\/(.*node_modules\/\.bin)\/[^:]*: npm (.*), dx (.*)$/.exec(line) || []
  const target = text => /^-> /.test(text) ? /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path.join(folder, text.slice(3)))?.[0] : undefined
  return folder ? [theirs, ours].map(target).filter(Boolean) : []
}

exports.linked = linked
exports.packageOf = packageOf
exports.reached = reached
exports.resolve = resolve

/** Whether a line is about one of these packages, or a command that leads to one. */
const isAbout = packages => line => [packageOf(line), ...linked(line)].some(at => packages.has(at))

const hasLatest = 'npm asks for a tag again where the entry has no address'

/** The reason why these lines are intended: the lockfile says which version a tag was, but not where it comes from. */
exports.askedAgain = (start, lines, root, ...locks) => {
  const touched = new Set(locks.flatMap(text => {
    const { packages = {} } = parse(text)
    const asked = tagged(parse(start), root, packages).map(([from, name]) => resolve(packages, from, name))
    return [...reached(packages, asked.filter(Boolean))]
  }))
  return touched.size && lines.every(isAbout(touched)) ? hasLatest : undefined
}

/**
 * The reason why these lines are intended after a step that began with a lockfile of version 1: npm leaves some of its entries
 * incomplete, and everything that only the rest of their requirements tells.
 */
exports.incompleteOldLockfile = (start, lines, ...locks) => {
  const left = incomplete(parse(start))
  const touched = new Set(locks.flatMap(text => [...reached(parse(text).packages || {}, left)]))
  return left.length && lines.every(isAbout(touched)) ? 'npm completes no aliases and nothing below folders in a lockfile of version 1' : undefined
}

/** The reason why these lines are intended: npm's lockfile lacks packages that others in it, or the project, require. */
exports.lacking = (lines, theirs, ours) => {
  const [npms, dxs] = [theirs, ours].map(text => parse(text).packages || {})
  const missing = Object.entries(npms).flatMap(([from, entry]) =>
    Object.keys({ ...entry.dependencies, ...from ? {} : entry.devDependencies })
      .filter(name => !(name in (entry.optionalDependencies || {})) && !resolve(npms, from, name))
      .map(name => resolve(dxs, from, name)).filter(Boolean))
  const found = reached(dxs, missing)
  return found.size && lines.every(isAbout(found)) ? 'npm removes a package that is required, with a link that leads back to it' : undefined
}

/** The reason why a refusal of npm's is intended, where dx goes on. */
exports.refusal = (start, refused, root) => {
  if (/^EUSAGE: (Missing: \S+ from lock file\s*)+/.test(refused) && tagged(parse(start), root, entriesOf(parse(start))).length) {
    return hasLatest
  }
  if (/^EUSAGE: (Invalid: lock file's \S+@npm:\S+ does not satisfy \S+\s*)+/.test(refused) && incomplete(parse(start)).length) {
    return 'npm ci refuses aliases of a lockfile of version 1'
  }
  if (/^EUSAGE: (Invalid: lock file's \S+@ does not satisfy \S+\s*)+$/.test(refused) && /"optional": true/.test(start)) {
    return 'npm ci refuses the place of an optional package that could not be loaded'
  }
  if (/^ENOLOCK: /.test(refused) && /^<<<<<<< /m.test(start)) {
    return 'npm ci takes a lockfile with the markers of a merge for none'
  }
  if (/^undefined: Invalid Version: /.test(refused) && hasNoVersion(start, refused.slice('undefined: Invalid Version: '.length))) {
    return 'npm fails at an entry of a lockfile whose version is none'
  }
  if (/^undefined: Invalid version\. Must be a string\. Got type "number"\.$/.test(refused) && hasNumber(start)) {
    return 'npm fails at an entry of a lockfile whose version is none'
  }
  if (/^undefined: Cannot read properties of null/.test(refused)) {
    return 'npm fails by itself'
  }
  const [, target] = /^EMISSINGTARGET: Missing target in lock file: "([^"]*)" is referenced by/.exec(refused) || []
  if (target && !parse(start).packages?.[target]) {
    return 'npm stops at a link to an entry that the lockfile lacks'
  }
}

/** Whether an entry of the lockfile has this text as its version. */
const hasNoVersion = (start, version) =>
  Object.entries(parse(start).packages || {}).some(([at, entry]) => at.includes('node_modules/') && !entry.link && (entry.version ?? '') === version)

/** An object with its members in npm's order. */
const inOrder = object => Object.fromEntries(Object.entries(object).sort(([a], [b]) => a.localeCompare(b, 'en')))

/** Whether an entry of the lockfile has a number as its version. */
const hasNumber = start => Object.values(parse(start).packages || {}).some(({ version }) => typeof version === 'number')

/** The reason why a line is intended: members that say nothing stay in a lockfile until their entry changes. */
exports.kept = (line, start) => {
  const [, at, key, text] = /: (?:entry|hidden) (\S+) (\w+): npm nothing, dx (null|false|\[\]|\{\}|)$/.exec(line) || []
  const value = parse(start).packages?.[at]?.[key]
  const says = value === null || value === false || value === '' || typeof value === 'object' && !Object.keys(value).length
  if (at && says && (text || '""') === JSON.stringify(value)) {
    return 'members of an entry that say nothing stay until it changes'
  }
  const [, spelt, bins, file] = /: (?:entry|hidden) (\S+) bin: npm (\{.*\}), dx (\S+)$/.exec(line) || []
  if (spelt && parse(start).packages?.[spelt]?.bin === file && Object.values(parse(bins)).join() === file) {
    return 'an entry stays as it is spelt until it changes'
  }
  const [, sorted, member, npms, dxs] = /: (?:entry|hidden) (\S+) (\w+): npm (\{.*), dx (\{.*)$/.exec(line) || []
  const before = parse(start).packages?.[sorted]?.[member]
  if (before && short(before) === dxs && short(inOrder(before)) === npms) {
    return 'an entry stays as it is spelt until it changes'
  }
  const [, entry, flag, number] = /: (?:entry|hidden) (\S+) (\w+): npm true, dx (\d+)$/.exec(line) || []
  return entry && Number(number) && parse(start).packages?.[entry]?.[flag] === Number(number)
    ? 'an entry stays as it is spelt until it changes' : undefined
}

/** The reason why a lockfile is another text with the same entries: those that did not change stay as they were spelt. */
exports.spelling = (start, theirs, ours) => {
  const [before, npms, dxs] = [start, theirs, ours].map(text => parse(text).packages || {})
  const other = Object.keys(dxs).filter(at => JSON.stringify(dxs[at]) !== JSON.stringify(npms[at]))
  const stays = other.length && other.every(at => JSON.stringify(dxs[at]) === JSON.stringify(before[at]))
  return stays ? 'an entry stays as it is spelt until it changes' : undefined
}

/** The reason why an entry is missing: it is in a package that the lockfile lacks; npm keeps it there, and installs nothing. */
exports.stray = (line, start, theirs) => {
  const [, at] = /: (?:entry|hidden) (\S+): npm has .*, dx nothing$/.exec(line) || []
  const holder = at?.slice(0, at.lastIndexOf('/node_modules/'))
  const [before, npms] = [start, theirs].map(text => parse(text).packages || {})
  return before[at] && !before[holder] && npms[at]?.extraneous ? 'npm keeps an entry in a package that the lockfile lacks' : undefined
}
