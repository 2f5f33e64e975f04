// npm's own code in this process: a step of a project in a tenth of the time that npm's program takes.
'use strict'

const fs = require('node:fs')
const path = require('node:path')

/** npm goes round for ever on a few projects: a build that takes this many steps is given up. */
const MOST_STEPS = 4000
let steps = 0
process.on('time', level => {
  if (level === 'start' && ++steps > MOST_STEPS) {
    throw Object.assign(new Error('npm does not come to an end'), { code: 'ENDLESS' })
  }
})

/** Loads npm from its package folder. */
exports.load = npm => {
  const library = name => require(path.join(npm, 'node_modules', name))
  const Arborist = library('@npmcli/arborist')
  const validateLockfile = require(path.join(npm, 'lib/utils/validate-lockfile.js'))
  const { resetSeen } = library('bin-links')

  class Npm {
    constructor (folder, registry, more = {}) {
      this.project = path.join(folder, 'npm/project')
      this.options = {
        path: this.project, registry, cache: path.join(folder, 'cache'), ignoreScripts: true, audit: false, fund: false,
        save: true, packageLock: true, savePrefix: '^', binLinks: true, installLinks: false, allowRemote: 'all', preferOffline: true,
        npmVersion: '12.0.0', nodeVersion: process.version, minReleaseAgeExclude: [], ...more,
      }
    }

    async run ({ action, specs }, force) {
      const options = { ...this.options, force }
      steps = 0
      resetSeen() // a command is linked once in a process
      if (action === 'ci') {
        return this.frozen({ ...options, save: false })
      }
      if (action === 'dedupe') {
        await new Arborist({ ...options, save: false }).dedupe({ ...options, save: false })
        return
      }
      const request = { ...options, add: action === 'add' ? specs : [], rm: action === 'remove' ? specs : undefined }
      await new Arborist(request).reify(request)
    }

    async frozen (options) {
      const virtual = new Arborist(options)
      await virtual.loadVirtual()
      const inventory = new Map(virtual.virtualTree.inventory)
      const arborist = new Arborist(options)
      await arborist.buildIdealTree()
      const errors = [
        ...validateLockfile(inventory, arborist.idealTree.inventory),
        ...validateLockfile.validatePackageExtensions(virtual.virtualTree, arborist.idealTree),
      ]
      if (errors.length) {
        throw Object.assign(new Error(errors.join('\n')), { code: 'EUSAGE' })
      }
      fs.rmSync(path.join(this.project, 'node_modules'), { recursive: true, force: true })
      await arborist.reify(options)
    }

    /**
     * The requirements that overrides change and that the lockfile does not meet: as npm itself sees it, and where the package
     * that stood there before still does, as npm compares nothing but the versions of `npm:other@1.0.0`.
     */
    async unapplied () {
      const tree = await new Arborist(this.options).loadVirtual()
      const edges = [...tree.inventory.values()].flatMap(node => [...node.edgesOut.values()])
      const isOther = ({ spec, to }) => to && spec.startsWith('npm:') && to.packageName !== /^npm:(@?[^@]*)/.exec(spec)[1]
      return edges.filter(edge => edge.spec !== edge.rawSpec && !edge.peer && (!edge.valid || isOther(edge)))
    }

    /** Rewrites the lockfile in another version of its format. */
    async convert (lockfileVersion) {
      steps = 0
      const options = { ...this.options, lockfileVersion, force: true }
      const tree = await new Arborist(options).buildIdealTree(options)
      await tree.meta.commit()
      return tree.meta.toString()
    }
  }

  /** Runs one step with npm, as `--force` would where it refuses peers, and notes that; returns its error, if it fails. */
  const withNpm = async (tool, step) => {
    try {
      await tool.run(step, false)
    } catch (error) {
      if (error.code !== 'ERESOLVE') {
        return error
      }
      step.forced = true
      try {
        await tool.run(step, true)
      } catch (other) {
        return other
      }
    }
  }

  return { Npm, semver: library('semver'), withNpm }
}
