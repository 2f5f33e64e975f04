// Differences between npm and dx that are intended, each described in docs/npm-differences.md. A step that has one is told
// apart from those that differ, with the reason. Each is recognised by npm's own result, never by dx's alone.
'use strict'

const { linked, packageOf, reached, resolve } = require('./old.js')
const { REGISTRY } = require('./server.js')

const DROPPED = 'npm drops the folder of a git repository'
const OTHER = 'npm installs another commit than the one required'
const UNMET = 'npm leaves out what is required'
const FAILED = 'npm fails by itself'
const KEPT = 'npm keeps a package from outside the registries that nothing requires from there'
const OUTSIDE = 'npm follows a link of the lockfile out of the project'

const FOLDER = /(?:#|::)path:([^:&]+)/
const COMMIT = /^(?:git\+\w+|git):\/\/[^#]*#([0-9a-f]{40})(?:::|$)/
const SECTIONS = ['dependencies', 'optionalDependencies', 'devDependencies']

/** Why npm gives no result: errors of its own code. */
const OWN_ERRORS = /^undefined: (Cannot read properties of (null|undefined) \(reading '\w+'\)|Invalid Version: |Maximum call stack size exceeded)/

/** The entry that `name` means in the folder `from` of a lockfile, with its path. */
const found = (packages, from, name) => {
  for (let folder = from; ; folder = folder.replace(/\/?[^/]*$/, '')) {
    const path = `${folder && `${folder}/`}node_modules/${name}`
    if (packages[path] || !folder) {
      return packages[path] && { path, ...packages[path] }
    }
  }
}

/** The manifests of a project by path: its own, those of its folders, and those that a lockfile has. */
const manifestsOf = (packages, one, step) => ({ ...packages, ...one.folders, '': step.root })

/** All requirements for commits and folders of git repositories, with the lockfile's entries for them. */
const gitRequirements = (packages, one, step) =>
  Object.entries(manifestsOf(packages, one, step)).flatMap(([from, manifest]) => {
    const all = Object.assign({}, ...SECTIONS.map(section => manifest[section]))
    const isGit = spec => COMMIT.test(spec) || /git/.test(spec) && FOLDER.test(spec)
    return Object.entries(all).filter(([, spec]) => isGit(spec)).map(([name, spec]) => ({ spec, from, name, entry: found(packages, from, name) }))
  })

/** The requirements for folders of repositories whose entries lack the folder. */
const withoutFolder = requirements => requirements
  .filter(({ spec, entry }) => FOLDER.test(spec) && entry?.resolved && !entry.resolved.includes('path:'))

/** The requirements for whole names of commits that another commit of the repository stands for. */
const otherCommit = requirements => requirements.filter(({ spec, entry }) => {
  const [wanted, held] = [COMMIT.exec(spec), COMMIT.exec(entry?.resolved || '')]
  return wanted && held && wanted[1] !== held[1] && spec.split('#')[0] === entry.resolved.split('#')[0]
})

/** Whether overrides have a rule for a name, at any depth. */
const names = (overrides, name) => typeof overrides === 'object' && Object.entries(overrides).some(([key, value]) =>
  key.replace(/(?<=.)@.*$/, '') === name || names(value, name))

/** Whether `entry` may be what `spec` asks for. Of all but ranges of the registry it is assumed. */
const meets = (packages, entry, spec, semver) => {
  const { version } = (entry.link ? packages[entry.resolved] : entry) || {}
  const range = /^npm:.+@([^@]*)$/.exec(spec)?.[1] || spec
  return version === undefined || ['', '*'].includes(range) || !semver.validRange(range, true) || semver.satisfies(version, range, true)
}

/**
 * What a manifest requires in any case: not as a peer, not as an optional package, not as one of its own tarball. What an
 * optional package requires counts if the package is `installed`.
 */
const requiredBy = ([from, manifest], one, installed) => {
  // What folders beside the project require, npm leaves to them.
  const isOutside = from.startsWith('../')
  const isOptional = manifest.optional || manifest.devOptional
  if (isOutside || isOptional && !installed(from) || manifest.extraneous || manifest.inBundle || manifest.link) {
    return []
  }
  const own = from === '' || one.folders[from] ? { ...manifest.devDependencies, ...manifest.dependencies } : { ...manifest.dependencies }
  const bundled = manifest.bundleDependencies || []
  const isOpen = name => manifest.optionalDependencies?.[name] !== undefined || bundled === true || bundled.includes(name)
  return Object.entries(own).filter(([name]) => !isOpen(name))
}

/**
 * All that a lockfile lacks and that must be there: packages that are required, and links to workspaces. Overrides may replace what is
 * required, so versions of the names in them do not count.
 */
const lacking = (packages, one, step, semver, installed) => {
  const patterns = step.root.workspaces?.packages || step.root.workspaces || []
  const isWorkspace = folder => patterns.some(pattern => [folder, folder.replace(/[^/]*$/, '*')].includes(pattern.replace(/^\.\//, '')))
  const isUnmet = (from, name, spec) => {
    const entry = found(packages, from, name)
    // A workspace stands for what the project requires of its name, whatever its version.
    const isOwn = from === '' && entry?.link && isWorkspace(entry.resolved)
    return !entry || !isOwn && !names(step.root.overrides, name) && !meets(packages, entry, spec, semver)
  }
  const unmet = Object.entries(manifestsOf(packages, one, step)).flatMap(([from, manifest]) => {
    const isThere = from === '' || packages[from] && !packages[from].extraneous
    const required = isThere ? requiredBy([from, manifest], one, installed) : []
    return required.filter(([name, spec]) => isUnmet(from, name, spec))
      .map(([name, spec]) => ({ from, name, text: `${name}@${spec} of ${from || 'the project'}` }))
  })
  const isUnlinked = ([folder, { name }]) => isWorkspace(folder) && packages[`node_modules/${name}`]?.resolved !== folder
  const unlinked = Object.entries(one.folders).filter(isUnlinked)
  return [...unmet, ...unlinked.map(([folder, { name }]) => ({ from: '', name, text: `the workspace ${folder}` }))]
}

/** The packages that these requirements lead to in a lockfile. */
const placesOf = (requirements, packages) => requirements.map(({ from, name }) => resolve(packages, from, name)).filter(Boolean)

/**
 * Whether a line follows from what npm and dx have in these places: it is about the package there, one within it, one that only
 * this leads to, or about a flag of one that it leads to; or about a command of such a package.
 */
const followsFrom = (places, theirs, ours) => {
  const [ofNpm, ofDx] = [theirs, ours].map((packages, side) => reached(packages, places[side]))
  const own = new Set(places.flat())
  const isBelow = at => [...own].some(place => at.startsWith(`${place}/`))
  const isOnly = at => ofDx.has(at) && !theirs[at] || ofNpm.has(at) && !ours[at]
  return line => {
    if (/ file project\/\S*\.bin\//.test(line)) {
      return linked(line).some(target => own.has(target) || isBelow(target) || isOnly(target))
    }
    const [, outside] = / (?:entry|hidden) (\.\.\/\S+?)(?: \w+)?: /.exec(line) || []
    const at = packageOf(line) || outside
    const isFlag = / (?:dev|devOptional|optional|peer): npm /.test(line)
    return Boolean(at) && (own.has(at) || isBelow(at) || isOnly(at) || isFlag && (ofNpm.has(at) || ofDx.has(at)))
  }
}

/**
 * The packages that a lockfile takes from an address, a file, a repository or a folder outside of the project although no
 * requirement for the name is one of that kind.
 */
const disowned = (packages, one, step) => {
  const isElsewhere = spec => /[:/]|\.tgz$|\.tar\.gz$/.test(spec) && !spec.startsWith('npm:')
  const manifests = Object.values(manifestsOf(packages, one, step)).filter(manifest => !manifest.link)
  const all = manifests.flatMap(manifest => [...SECTIONS, 'peerDependencies'].flatMap(section => Object.entries(manifest[section] || {})))
  const named = new Set(all.filter(([, spec]) => isElsewhere(spec)).map(([name]) => name))
  const isFrom = ({ link, resolved = '' }) => link ? resolved.startsWith('../') : /^(file:|git|http)/.test(resolved) && !resolved.startsWith(REGISTRY)
  return Object.entries(packages).filter(([path, entry]) => isFrom(entry) && !named.has(path.replace(/.*node_modules\//, ''))).map(([path]) => path)
}

/** Whether a line is about nothing but what is in the folder `path`, or where it is from. */
const isAbout = (path, line) => {
  const text = path.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  const name = text.replace(/.*node_modules\//, '')
  return new RegExp(`(entry|hidden) ${text} resolved: npm (\\S+), dx \\2::path:`).test(line) ||
    new RegExp(`file project/${text}/(?!node_modules/)`).test(line) ||
    new RegExp(`file project/\\S*\\.bin/\\S+: .*-> \\.\\./${name}/`).test(line)
}

/** What npm says of itself in two places and what is not the same there: dx does as the lockfile says. */
const contradictions = ({ npm, lock, packagesOf }) => {
  const [locked, hidden] = [npm.lock, npm.hidden].map(text => text && packagesOf(text) || {})
  const ours = packagesOf(lock) || {}
  const has = path => Object.keys(npm.tree).some(file => file === `project/${path}` || file.startsWith(`project/${path}/`))
  const target = path => locked[path]?.link ? locked[path].resolved : path
  return line => {
    const [, flagged, flag] = / hidden (\S+) (dev|optional|devOptional|peer): npm /.exec(line) || []
    if (flagged && locked[flagged] && locked[flagged][flag] !== hidden[flagged]?.[flag] && locked[flagged][flag] === ours[flagged]?.[flag]) {
      return 'npm flags a package otherwise in its hidden lockfile'
    }
    const [, unlisted] = / hidden (\S+): npm nothing, dx has /.exec(line) || []
    if (unlisted && locked[unlisted] && !hidden[unlisted] && has(unlisted)) {
      return 'npm does not list a package that it has installed'
    }
    const [, top, command, name, file] = / file project\/(\S*?)\.bin\/(\S+): npm nothing, dx -> \.\.\/((?:@[^/]+\/)?[^/]+)\/(\S+)$/.exec(line) || []
    const linked = command && target(top + name)
    if (command && locked[linked]?.bin?.[command] === file) {
      return 'npm does not link a command that its lockfile has'
    }
    const [, holder] = / file project\/(\S*node_modules\/(?:@[^/]+\/)?[^/]+)\/\S*: npm nothing, dx /.exec(line) || []
    if (holder && hidden[holder] && !hidden[holder].link && !has(holder)) {
      return 'npm does not install a package that it lists'
    }
    const [, folder] = / (?:entry|hidden) (\S+): npm has \S+, dx nothing$/.exec(line) || []
    if (folder && !folder.includes('node_modules/') && locked[folder]?.extraneous) {
      return 'npm keeps the entry of a folder that nothing requires'
    }
    const [, entry, old] = / (?:(?:entry|hidden) (\S+)|part for old npm (\S+)) \w+: npm /.exec(line) || []
    const versioned = entry || old && `node_modules/${old}`
    const isOf = version => Boolean(version) && locked[versioned]?.resolved?.endsWith(`-${version}.tgz`)
    if (versioned && isOf(ours[versioned]?.version) && !isOf(locked[versioned]?.version)) {
      return 'npm keeps a version that the package does not have'
    }
    return / package.json \w*[dD]ependencies: npm nothing, dx (?:\{\}|\[\])$/.test(line) ? 'npm takes an empty section away' : undefined
  }
}

/** The reason for a refusal by dx of what npm installs, if it is intended. */
const ofRefusal = (failed, requirements, start, one, step) => {
  const [, link, place] = /links (\S+) to (\S+), outside of the project/.exec(failed.message) || []
  if (failed.code === 'DX_LOCK_LEAVES_PROJECT' && start[link]?.link && start[link].resolved === place) {
    return OUTSIDE
  }
  const [, unowned] = /entry (\S+) takes \S+ from \S+, but it is required from a registry/.exec(failed.message) || []
  if (failed.code === 'DX_LOCK_ORIGIN' && disowned(start, one, step).includes(unowned)) {
    return KEPT
  }
  const spec = /that satisfies "([^"]*)"/.exec(failed.message)?.[1]
  if (failed.code !== 'DX_LOCKFILE_OUT_OF_DATE' || !spec) {
    return undefined
  }
  const has = list => list.some(other => other.spec === spec)
  return has(withoutFolder(requirements)) ? DROPPED : has(otherCommit(requirements)) ? OTHER : undefined
}

/**
 * What remains of the lines by which a step differs, and why the others are intended. `npm` is the recorded result, `failed` the
 * refusal by dx and `lock` its lockfile.
 */
exports.explain = (lines, { one, step: asked, npm, failed, lock, packagesOf, semver }) => {
  const all = reason => ({ left: [], reason })
  if (!lines.length) {
    return { left: lines }
  }
  if (npm.refused) {
    return OWN_ERRORS.test(npm.refused) ? all(FAILED) : { left: lines }
  }
  // What is added or removed is in the manifest afterwards.
  const step = { ...asked, root: JSON.parse(npm.manifest) }
  const theirs = packagesOf(npm.lock || npm.start) || {}
  const installed = step.action === 'ci' ? packagesOf(npm.hidden) || {} : theirs
  const requirements = gitRequirements(theirs, one, step)
  const ours = failed ? {} : packagesOf(lock) || {}
  const refusal = failed && ofRefusal(failed, requirements, npm.start && packagesOf(npm.start) || {}, one, step)
  if (refusal) {
    return all(refusal)
  }
  const isInstalled = path => Boolean(npm.tree[`project/${path}/package.json`])
  const known = failed ? [] : lacking(ours, one, step, semver, isInstalled).map(({ text }) => text)
  const missing = lacking(installed, one, step, semver, isInstalled).filter(({ text }) => !known.includes(text))
  const unmet = missing.length ? `${UNMET} (${missing[0].text})` : undefined
  if (missing.length && failed) {
    return all(unmet)
  }
  const never = () => false
  const sides = [installed, ours]
  const follows = missing.length ? followsFrom(sides.map(packages => placesOf(missing, packages)), ...sides) : never
  const others = otherCommit(requirements)
  if (others.length && failed) {
    return all(OTHER)
  }
  const isOther = others.length && !otherCommit(gitRequirements(ours, one, step)).length
    ? followsFrom([theirs, ours].map(packages => placesOf(others, packages)), theirs, ours) : never
  const links = failed ? [] : disowned(theirs, one, step)
  const kept = links.flatMap(path => theirs[path].link ? [path, theirs[path].resolved] : [path])
  const isKept = kept.length && !disowned(ours, one, step).length
    ? followsFrom([kept, kept.filter(path => ours[path])], theirs, ours) : never
  const paths = withoutFolder(requirements).map(({ entry }) => entry.path)
  const contradicts = failed ? () => undefined : contradictions({ npm, lock, packagesOf })
  const reasonOf = line => follows(line) ? unmet : isOther(line) ? OTHER : isKept(line) ? KEPT : paths.some(path => isAbout(path, line)) ? DROPPED : contradicts(line)
  const reasons = new Set(lines.map(reasonOf).filter(Boolean))
  return { left: lines.filter(line => !reasonOf(line)), reason: [...reasons].join(', ') || undefined }
}
