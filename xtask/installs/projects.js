// Random projects for whole installs: a registry, folders, and steps that each end in a lockfile and a tree.
'use strict'

const { Random, World } = require('../../crates/dx-pkg-resolve/tests/oracle/generate.js')

/** What a project is about; a seed takes the kind of its remainder. */
const KINDS = [
  'version-1', 'version-2', 'no-integrity', 'registry-digests', 'bundles', 'outside', 'late-overrides', 'bot',
  'other-platform', 'lost-entry', 'workspaces', 'plain',
]

const LICENSES = ['MIT', 'ISC', undefined, { type: 'MIT', url: 'https://registry.example/license' }, ['MIT', 'Apache2']]
const SECTIONS = ['dependencies', 'devDependencies', 'optionalDependencies']

class Project extends World {
  constructor (seed, kind, semver) {
    super(seed)
    this.kind = kind
    this.semver = semver
    this.draw = new Random(seed ^ 0x5bd1e995)
    this.bundles = new Map()
    for (const packument of Object.values(this.registry)) {
      for (const manifest of Object.values(packument.versions)) {
        this.furnish(manifest)
      }
    }
    if (kind === 'bundles') {
      this.bundle()
    }
    if (kind === 'other-platform') {
      this.addPlatforms()
    }
  }

  /** Gives a package commands and the members that a lockfile keeps. */
  furnish (manifest) {
    const { draw } = this
    const word = manifest.name.split('/').pop()
    if (draw.chance(0.3)) {
      manifest.bin = draw.pick([{ [word]: 'cli.js' }, 'cli.js', { [word]: './bin/run.js', [`${word}-x`]: 'cli.js' }])
    }
    const license = draw.pick(LICENSES)
    if (license) {
      manifest.license = license
    }
    if (draw.chance(0.1)) {
      manifest.funding = draw.pick(['https://registry.example/fund', { type: 'individual', url: 'https://registry.example/me' }])
    }
    if (draw.chance(0.1)) {
      manifest.scripts = { install: 'node -e 0' }
      manifest.hasInstallScript = true
    }
    if (draw.chance(0.05)) {
      manifest.workspaces = ['packages/*']
    }
  }

  /** Lets some packages bring dependencies in their tarballs, with those of these, flat, as `npm pack` does. */
  bundle () {
    const { draw } = this
    for (const packument of Object.values(this.registry)) {
      for (const manifest of Object.values(packument.versions)) {
        const names = Object.keys(manifest.dependencies || {})
        const chosen = draw.chance(0.3) ? names : draw.some(names, names.length)
        const found = draw.chance(0.6) && chosen.length ? this.contents(manifest, chosen) : undefined
        if (found) {
          manifest[draw.chance(0.8) ? 'bundleDependencies' : 'bundledDependencies'] = draw.chance(0.2) && chosen === names ? true : chosen
          this.bundles.set(`${manifest.name}@${manifest.version}`, found.map(inner => ({ manifest: inner })))
        }
      }
    }
  }

  /** The packages that a bundle of these dependencies consists of; undefined where one version of each does not do. */
  contents (manifest, chosen) {
    const found = new Map()
    const queue = chosen.map(name => [name, manifest.dependencies[name]])
    while (queue.length) {
      const [name, range] = queue.shift()
      const inner = found.get(name) || this.best(name, range)
      const isPlain = inner && !inner.peerDependencies && !inner.optionalDependencies && !this.bundles.has(`${name}@${inner.version}`)
      if (!isPlain || name === manifest.name || !this.semver.satisfies(inner.version, range)) {
        return undefined
      }
      if (!found.has(name)) {
        found.set(name, inner)
        queue.push(...Object.entries(inner.dependencies || {}))
      }
    }
    return [...found.values()]
  }

  best (name, range) {
    const versions = Object.keys(this.registry[name]?.versions || {})
    const found = this.semver.maxSatisfying(versions, range)
    return found && this.registry[name].versions[found]
  }

  /** One package with a binary for each of two systems, as native packages have. */
  addPlatforms () {
    const host = { name: 'native', 'dist-tags': { latest: '1.0.0' }, time: {}, versions: {} }
    host.versions['1.0.0'] = { name: 'native', version: '1.0.0', optionalDependencies: {} }
    for (const system of ['linux', 'win32', 'darwin']) {
      const name = `@s/native-${system}`
      const manifest = { name, version: '1.0.0', os: [system] }
      this.registry[name] = { name, 'dist-tags': { latest: '1.0.0' }, time: { '1.0.0': '2024-01-01T00:00:00.000Z' }, versions: { '1.0.0': manifest } }
      host.versions['1.0.0'].optionalDependencies[name] = '1.0.0'
    }
    host.time['1.0.0'] = '2024-01-01T00:00:00.000Z'
    this.registry.native = host
  }

  first () {
    const { draw } = this
    const { root, folders } = this.root()
    if (this.kind === 'late-overrides') {
      delete root.overrides
    }
    if (this.kind === 'other-platform') {
      root.dependencies = { ...root.dependencies, native: '1.0.0' }
    }
    if (this.kind === 'outside') {
      folders['../b'] = this.project('b', '1.0.0', 2)
      if (draw.chance(0.4)) {
        folders['../b'].bin = { b: 'cli.js' }
      }
      root[draw.pick(SECTIONS)] ||= {}
      root.dependencies = { ...root.dependencies, b: 'file:../b' }
      if (draw.chance(0.3)) {
        folders['../c'] = this.project('c', '1.0.0', 1)
        folders['../b'].dependencies = { ...folders['../b'].dependencies, c: 'file:../c' }
      }
    }
    // Of a name in both, npm writes the peer's requirement over the other whenever it saves; dx leaves both as they are.
    for (const name of Object.keys(root.peerDependencies || {})) {
      if (SECTIONS.some(section => root[section]?.[name])) {
        delete root.peerDependencies[name]
        delete root.peerDependenciesMeta?.[name]
      }
    }
    for (const section of [...SECTIONS, 'peerDependencies', 'peerDependenciesMeta']) {
      if (root[section] && !Object.keys(root[section]).length) {
        delete root[section]
      }
    }
    return { root, folders }
  }

  /** The steps after the first install, as the kind wants them. */
  later (root) {
    const { draw } = this
    const install = { root, action: 'install', keep: draw.chance(0.5) }
    const ci = { root, action: 'ci' }
    const named = draw.pick(this.names)
    const add = { root, action: 'add', specs: [`${named}@${draw.pick(this.versions.get(named))}`], keep: draw.chance(0.5) }
    switch (this.kind) {
      case 'version-1': return [{ ...ci, lockfileVersion: 1 }, { ...install, lockfileVersion: 1 }, ...draw.chance(0.5) ? [add] : []]
      case 'version-2': return [{ ...ci, lockfileVersion: 2 }, { ...install, lockfileVersion: 2 }, { ...add, lockfileVersion: 2 }]
      case 'no-integrity': {
        const edit = { strip: draw.pick([['integrity'], ['integrity', 'resolved'], ['resolved']]), share: draw.pick([1, 0.5]) }
        return [{ ...ci, edit }, { ...install, edit }, ...draw.chance(0.5) ? [{ ...add, edit }] : []]
      }
      case 'registry-digests': return [ci, install, add]
      case 'bundles': return [ci, install, add]
      case 'outside': return [ci, install, add]
      case 'late-overrides': {
        const overridden = structuredClone(root)
        overridden.overrides = this.override(0)
        const steps = [{ ...ci, root: overridden }, { ...install, root: overridden }]
        if (draw.chance(0.3)) {
          steps.push({ ...add, root: overridden })
        }
        if (draw.chance(0.5)) {
          const other = structuredClone(root)
          if (draw.chance(0.5)) {
            other.overrides = this.override(0)
          }
          steps.push({ root: other, action: 'ci' }, { root: other, action: 'install', keep: true })
        }
        return steps
      }
      case 'bot': {
        const steps = []
        let manifest = root
        for (let i = 0; i < 2; i++) {
          const next = structuredClone(manifest)
          const moved = this.move(next)
          if (moved) {
            steps.push({ root: next, action: 'ci', bot: moved }, { root: next, action: 'install', bot: moved, keep: draw.chance(0.5) })
            manifest = next
          }
        }
        return steps
      }
      case 'other-platform': {
        const edit = { drop: '@s/native-linux' }
        return [{ ...ci, edit }, { ...install, edit }, ...draw.chance(0.5) ? [{ ...add, edit }] : []]
      }
      case 'lost-entry': {
        const edit = { lose: draw.next() }
        return [{ ...ci, edit }, { ...install, edit }]
      }
      default: return [ci, install, this.step(root), { ...ci }]
    }
  }

  /** Moves a direct dependency to another version, in the manifest; returns its name and version. */
  move (root) {
    const { draw } = this
    const direct = SECTIONS.flatMap(section => Object.keys(root[section] || {}).map(name => [section, name]))
    const movable = direct.filter(([section, name]) => this.versions.has(name) && !/^npm:|^file:/.test(root[section][name]))
    if (!movable.length) {
      return undefined
    }
    const [section, name] = draw.pick(movable)
    const version = draw.pick(this.versions.get(name))
    root[section][name] = draw.pick([`^${version}`, version])
    return { name, version, lockfile: draw.chance(0.8) }
  }

  step (root) {
    const { root: next, add, remove } = this.change(root)
    if (add) {
      return { root, action: 'add', specs: add, keep: true }
    }
    if (remove) {
      return { root, action: 'remove', specs: remove, keep: true }
    }
    return { root: next, action: 'install', keep: true }
  }
}

/** Adds steps that deduplicate: what the others left, and what comes of it when the project's requirements have moved. */
exports.dedupeAtEnd = one => {
  const last = one.steps.at(-1).root
  const more = structuredClone(last)
  for (const section of SECTIONS.filter(section => more[section])) {
    for (const [name, range] of Object.entries(more[section])) {
      const older = /^\^(\d+)\.(\d+)\.\d+$/.exec(range)
      more[section][name] = older ? `${older[1]}.x` : range
    }
  }
  one.steps.push({ root: last, action: 'dedupe', keep: one.seed % 2 === 0 })
  one.steps.push({ root: more, action: 'install', keep: true }, { root: more, action: 'dedupe', keep: true })
}

exports.generate = (seed, semver, only) => {
  const kind = only || KINDS[seed % KINDS.length]
  const project = new Project(seed, kind, semver)
  const { root, folders } = project.first()
  const steps = [{ root, action: 'install' }]
  steps.push(...project.later(root))
  const digests = kind === 'registry-digests' ? project.draw.pick(['sha1', 'none']) : 'sha512'
  return { seed, kind, digests, folders, registry: project.registry, bundles: project.bundles, steps }
}
Object.assign(exports, { KINDS, Project, SECTIONS })
