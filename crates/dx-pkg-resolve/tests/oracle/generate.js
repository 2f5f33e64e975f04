// Random registries and projects from a seed. Small pools of names and versions make conflicts likely.
'use strict'

class Random {
  constructor (seed) {
    this.state = seed >>> 0 || 1
  }

  next () {
    this.state = (this.state + 0x6d2b79f5) >>> 0
    let t = this.state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }

  chance (probability) {
    return this.next() < probability
  }

  below (limit) {
    return Math.floor(this.next() * limit)
  }

  pick (list) {
    return list[this.below(list.length)]
  }

  some (list, most) {
    const count = this.below(Math.min(most, list.length) + 1)
    const left = [...list]
    const taken = []
    for (let i = 0; i < count; i++) {
      taken.push(left.splice(this.below(left.length), 1)[0])
    }
    return taken
  }
}

const NAMES = ['alpha', 'beta', 'gamma', '@s/delta', 'epsilon', 'zeta', '@s/eta', 'theta', 'iota', 'kappa', 'lambda', 'mu', 'Nu', 'xi']
const VERSIONS = ['1.0.0', '1.1.0', '1.2.3', '2.0.0-rc.1', '2.0.0', '2.1.0', '3.0.0']
const DAY = 86400000
const EPOCH = Date.parse('2024-01-01T00:00:00.000Z')

const integrity = text => `sha512-${require('node:crypto').createHash('sha512').update(text).digest('base64')}`

const section = (random, names, most, specOf) => {
  const entries = {}
  for (const name of random.some(names, most)) {
    entries[name] = specOf(name)
  }
  return entries
}

const setIfAny = (manifest, key, entries) => {
  if (Object.keys(entries).length) {
    manifest[key] = entries
  }
}

class World {
  constructor (seed) {
    const random = this.random = new Random(seed)
    this.profile = {
      peers: random.chance(0.6),
      peersEverywhere: random.chance(0.2),
      optionals: random.chance(0.4),
      overrides: random.chance(0.2),
      workspaces: random.chance(0.2),
      aliases: random.chance(0.25),
      tags: random.chance(0.3),
      unfit: random.chance(0.3),
      folders: random.chance(0.1),
      missing: random.chance(0.1),
      collisions: random.chance(0.06),
      exact: random.chance(0.3),
      older: random.chance(0.15),
    }
    this.names = NAMES.slice(0, 4 + random.below(NAMES.length - 4))
    if (this.profile.collisions) {
      this.names.push('Alpha', 'BETA')
    }
    this.versions = new Map(this.names.map(name => [name, this.versionsOf()]))
    this.registry = {}
    for (const name of this.names) {
      this.registry[name] = this.packument(name)
    }
  }

  versionsOf () {
    const { random } = this
    const count = 1 + random.below(4)
    const chosen = new Set()
    while (chosen.size < count) {
      chosen.add(random.pick(VERSIONS))
    }
    return VERSIONS.filter(version => chosen.has(version))
  }

  range (name) {
    const { random, profile } = this
    const version = random.pick(this.versions.get(name) || ['1.0.0'])
    const major = version.split('.')[0]
    const draw = random.below(profile.exact ? 12 : 9)
    if (profile.tags && random.chance(0.1)) {
      return random.pick(['latest', 'next', ''])
    }
    if (draw < 3) {
      return `^${version}`
    }
    if (draw < 4) {
      return `~${version}`
    }
    if (draw < 5) {
      return '*'
    }
    if (draw < 6) {
      return `>=${version}`
    }
    if (draw < 7) {
      return random.pick([`${major}.x`, major, `<${version} || ${major}`, `>=1 <3`])
    }
    if (draw < 8) {
      return '^1.0.0 || ^2.0.0'
    }
    return version
  }

  spec (name) {
    const { random, profile } = this
    if (profile.aliases && random.chance(0.15)) {
      const other = random.pick(this.names)
      return `npm:${other}@${this.range(other) || '*'}`
    }
    return this.range(name)
  }

  dependenciesOf (manifest, own, scale) {
    const { random, profile } = this
    const others = this.names.filter(name => name !== own)
    const spec = name => this.spec(name)
    setIfAny(manifest, 'dependencies', section(random, others, scale, spec))
    if (profile.peers && random.chance(profile.peersEverywhere ? 0.8 : 0.35)) {
      setIfAny(manifest, 'peerDependencies', section(random, others, 2, name => this.range(name) || '*'))
      if (manifest.peerDependencies && random.chance(0.35)) {
        manifest.peerDependenciesMeta = {}
        for (const name of Object.keys(manifest.peerDependencies)) {
          if (random.chance(0.7)) {
            manifest.peerDependenciesMeta[name] = { optional: true }
          }
        }
      }
    }
    if (profile.optionals && random.chance(0.35)) {
      setIfAny(manifest, 'optionalDependencies', section(random, others, 2, spec))
    }
    if (profile.missing && random.chance(0.15)) {
      const key = random.chance(0.85) ? 'optionalDependencies' : 'dependencies'
      manifest[key] = { ...manifest[key], [random.chance(0.5) ? 'absent' : random.pick(others)]: '^9.0.0' }
    }
  }

  packument (name) {
    const { random, profile } = this
    const packument = { name, 'dist-tags': {}, time: {}, versions: {} }
    const versions = this.versions.get(name)
    for (const version of versions) {
      const file = `${name.split('/').pop()}-${version}.tgz`
      const manifest = { name, version, dist: { tarball: `https://registry.example/${name}/-/${file}`, integrity: integrity(file + name) } }
      this.dependenciesOf(manifest, name, 3)
      if (profile.unfit) {
        if (random.chance(0.15)) {
          manifest.deprecated = 'no longer kept'
        }
        if (random.chance(0.2)) {
          manifest.engines = { node: random.pick(['>=99', '>=18', '*', '^20 || >=22']) }
        }
        if (random.chance(0.15)) {
          manifest.os = [random.pick(['win32', 'linux', '!linux'])]
        }
        if (random.chance(0.05)) {
          manifest.cpu = ['s390x']
        }
      }
      packument.versions[version] = manifest
      packument.time[version] = new Date(EPOCH + random.below(100) * DAY).toISOString()
    }
    const released = versions.filter(version => !version.includes('-'))
    const newest = released[released.length - 1] || versions[versions.length - 1]
    packument['dist-tags'].latest = random.chance(0.8) ? newest : random.pick(versions)
    if (profile.tags) {
      packument['dist-tags'].next = random.pick(versions)
    }
    return packument
  }

  project (name, version, scale) {
    const { random } = this
    const manifest = { name, version }
    this.dependenciesOf(manifest, name, scale)
    if (random.chance(0.4)) {
      setIfAny(manifest, 'devDependencies', section(random, this.names, 3, other => this.spec(other)))
    }
    return manifest
  }

  override (depth) {
    const { random } = this
    const name = random.pick(this.names)
    const range = random.pick(this.versions.get(name))
    const key = random.chance(0.25) ? `${name}@${this.range(name) || '*'}` : name
    if (depth < 3 && random.chance(0.4)) {
      const inner = random.chance(0.4) ? { '.': range } : {}
      for (let i = random.below(2); i >= 0; i--) {
        Object.assign(inner, this.override(depth + 1))
      }
      return { [key]: inner }
    }
    return { [key]: random.chance(0.1) ? `$${name}` : random.chance(0.6) ? range : this.range(name) || '*' }
  }

  root () {
    const { random, profile } = this
    const root = this.project('project', '1.0.0', 5)
    if (profile.overrides) {
      root.overrides = {}
      for (let i = random.below(3); i >= 0; i--) {
        Object.assign(root.overrides, this.override(0))
      }
    }
    const folders = {}
    if (profile.workspaces) {
      root.workspaces = ['packages/*']
      for (const folder of ['one', 'two', 'three'].slice(0, 1 + random.below(3))) {
        const name = random.chance(0.2) ? random.pick(this.names) : folder
        if (Object.values(folders).some(other => other.name === name)) {
          continue
        }
        folders[`packages/${folder}`] = this.project(name, random.pick(VERSIONS), 3)
        if (random.chance(0.3)) {
          root.dependencies = { ...root.dependencies, [name]: random.pick(['*', '^1.0.0']) }
        }
      }
    }
    if (profile.folders) {
      folders['local/here'] = this.project('here', '1.0.0', 3)
      root.dependencies = { ...root.dependencies, here: 'file:./local/here' }
      if (random.chance(0.3)) {
        folders['local/there'] = this.project('there', '1.0.0', 2)
        folders['local/here'].dependencies = { ...folders['local/here'].dependencies, there: 'file:../there' }
      }
    }
    return { root, folders }
  }

  /** A later state of the project: something added, removed, changed or asked to be renewed. */
  change (root) {
    const { random } = this
    const next = structuredClone(root)
    const key = random.pick(['dependencies', 'dependencies', 'devDependencies', 'optionalDependencies'])
    const name = random.pick(this.names)
    const kind = random.below(7)
    const listed = Object.keys(next.dependencies || {}).filter(other => this.versions.has(other))
    if (kind === 0 && listed.length) {
      delete next.dependencies[random.pick(listed)]
      return { root: next }
    }
    if (kind === 1 && listed.length) {
      next.dependencies[random.pick(listed)] = this.range(random.pick(this.names)) || '*'
      return { root: next }
    }
    if (kind === 2) {
      return { root: next, update: random.some(this.names, 2) }
    }
    if (kind === 3) {
      return { root: next, add: [`${name}@${random.pick(this.versions.get(name))}`] }
    }
    if (kind === 4) {
      return { root: next }
    }
    if (kind === 5 && listed.length) {
      const gone = random.pick(listed)
      for (const section of ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies']) {
        delete next[section]?.[gone]
      }
      return { root: next, remove: [gone] }
    }
    next[key] = { ...next[key], [name]: this.range(name) || '*' }
    return { root: next }
  }
}

Object.assign(exports, { Random, World })

exports.generate = seed => {
  const world = new World(seed)
  const { random } = world
  const { root, folders } = world.root()
  const options = { nodeVersion: 'v24.0.0', npmVersion: '12.0.0' }
  if (random.chance(0.06)) {
    options.legacyPeerDeps = true
  }
  if (random.chance(0.08)) {
    options.preferDedupe = true
  }
  if (random.chance(0.08)) {
    options.strictPeerDeps = true
  }
  if (random.chance(0.08)) {
    options.before = new Date(EPOCH + 60 * DAY).toISOString()
  }
  const steps = [{ root }]
  for (let i = random.below(3); i > 0; i--) {
    if (world.profile.older) {
      steps[steps.length - 1].lockfileVersion = random.pick([1, 2])
    }
    steps.push(world.change(steps[steps.length - 1].root))
  }
  return { seed, options, registry: world.registry, folders, steps }
}
