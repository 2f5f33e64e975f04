// Random projects with everything that a package.json can require, one kind of it each.
'use strict'

const installs = require('../installs/projects.js')
const { tarball } = require('./server.js')
const sources = require('./sources.js')
const fields = require('./fields.js')

/** What a project is about; a seed takes the kind of its remainder. */
const KINDS = [
  'tarballs', 'remote', 'folders', 'git', 'aliases', 'bundles', 'overrides', 'workspaces', 'version-1', 'npm-6', 'extensions',
  'shrinkwraps', 'damaged', 'patches', 'mixed',
]

/** Takes away what would end most installs before they come to what the project is about. */
const soften = manifest => {
  delete manifest.os
  delete manifest.cpu
  for (const [name, range] of Object.entries(manifest.dependencies || {})) {
    if (range === '^9.0.0') {
      delete manifest.dependencies[name]
    }
  }
}

class Forms extends installs.Project {
  constructor (seed, kind, semver) {
    super(seed, kind === 'bundles' ? 'plain' : kind, semver)
    this.kind = kind
    this.files = {}
    this.remote = {}
    this.repositories = {}
    this.contents = {}
    this.texts = {}
    this.moves = []
    if (this.draw.chance(0.85)) {
      Object.values(this.registry).flatMap(packument => Object.values(packument.versions)).forEach(soften)
    }
  }

  /** A package that is not the registry's, with requirements and commands. */
  own (name, version) {
    const manifest = this.project(name, version, 2)
    delete manifest.peerDependencies
    delete manifest.peerDependenciesMeta
    this.furnish(manifest)
    soften(manifest)
    delete manifest.hasInstallScript
    return manifest
  }

  packed (manifest) {
    return { manifest, ...this.contents[`${manifest.name}@${manifest.version}`] }
  }

  shape (root, folders) {
    switch (this.kind) {
      case 'tarballs': return sources.tarballs(this, root, folders)
      case 'remote': return sources.remote(this, root, folders)
      case 'folders': return sources.folders(this, root, folders)
      case 'git': return sources.git(this, root, folders)
      case 'mixed':
        for (const one of this.draw.some(['tarballs', 'remote', 'folders', 'git'], 3)) {
          sources[one](this, root, folders)
        }
        return fields.aliases(this, root)
      default: return fields[this.kind]?.(this, root, folders)
    }
  }

  later (root) {
    const { draw } = this
    const next = structuredClone(root)
    const changed = this.moves.length && draw.chance(0.9) ? draw.pick(this.moves)(next) : undefined
    const other = changed || JSON.stringify(next) !== JSON.stringify(root) ? next : this.change(root).root
    const keep = draw.chance(0.6)
    const ci = { root, action: 'ci' }
    const seed = () => draw.below(1e9)
    if (this.kind === 'damaged') {
      const version = draw.chance(0.3) ? { lockfileVersion: 2 } : {}
      const damaged = { damage: seed(), ...version }
      return [{ ...ci, ...damaged }, { root, action: 'install', ...damaged }, { root, action: 'install', keep: true, damage: seed(), ...version }, { ...ci, damage: seed() }]
    }
    if (this.kind === 'version-1' || this.kind === 'npm-6') {
      const old = this.kind === 'npm-6' ? { npm6: true } : { lockfileVersion: 1 }
      const damaged = this.kind === 'version-1' ? { damage: seed() } : {}
      return [{ ...ci, ...old }, { root, action: 'install', ...old }, { ...ci, ...old, ...damaged }, { root, action: 'install', ...old, ...damaged }, { root: other, action: 'install', ...old, keep }]
    }
    const steps = [{ root: other, action: 'install', keep, ...changed }, { root: other, action: 'ci' }]
    if (draw.chance(0.4)) {
      const { add, remove } = this.change(other)
      add && steps.push({ root: other, action: 'add', specs: add, keep: true })
      remove && steps.push({ root: other, action: 'remove', specs: remove, keep: true })
    }
    return steps
  }
}

exports.KINDS = KINDS

/** A project of packages from a registry: of one kind of these, or of all, with steps that deduplicate at the end or without. */
const ofRegistry = (seed, semver, kind) => {
  const { bundles, ...one } = installs.generate(seed, semver, kind.split('/')[1])
  kind === 'dedupe' && installs.dedupeAtEnd(one)
  const contents = Object.fromEntries([...bundles].map(([name, bundled]) => [name, { bundled }]))
  return { ...one, contents, files: {}, remote: {}, repositories: {}, texts: {} }
}

/** The project of a seed: all that is served, all that lies in its folders, and its steps. */
exports.generate = (seed, semver, only) => {
  const kind = only || KINDS[seed % KINDS.length]
  if (/^(?:installs|dedupe)(?:\/|$)/.test(kind)) {
    return ofRegistry(seed, semver, kind)
  }
  const project = new Forms(seed, kind, semver)
  const { root, folders } = project.first()
  const isAbout = project.draw.chance(0.1)
  if (!isAbout) {
    [root, ...Object.values(folders)].forEach(soften)
    delete root.overrides
  }
  project.shape(root, folders)
  const steps = [{ root, action: 'install' }, ...project.later(root)]
  const { registry, contents, files, remote, repositories, texts } = project
  return { seed, kind, registry, contents, folders, files, remote, repositories, texts, steps }
}
exports.tarball = tarball
