// Whether npm's result of a step holds: what its second install and its `npm ci` make of it.
'use strict'

const fs = require('node:fs')
const path = require('node:path')
const { differences, lockDifferences, tree } = require('../installs/differences.js')
const { furnish, home, read } = require('./place.js')
const { settings } = require('./record.js')
const { REGISTRY } = require('./server.js')

const remove = folder => fs.rmSync(folder, { recursive: true, force: true })

const failure = error => error && `${error.code}: ${error.message}`.slice(0, 600)

/** npm's own failures: an error of JavaScript, which has no code. */
const isCrash = text => /^undefined: (?:Cannot (?:read|destructure|set) propert|Invalid Version: $|Maximum call stack size)/.test(text || '')

/** The packages that `npm ci` misses in npm's own lockfile, without optional ones that nobody has. */
const missedBy = refused => refused.split('\n').filter(line => line && !/^(?:EUSAGE: )?Missing: \S+@ from lock file$/.test(line))

class Second {
  constructor (one, folder, server, git, { Npm, withNpm }) {
    Object.assign(this, { one, folder, server, git, withNpm })
    const options = { ...settings(server.address), cache: path.join(folder, 'cache') }
    this.first = new Npm(path.join(folder, 'first'), REGISTRY, options)
    this.again = new Npm(path.join(folder, 'again'), REGISTRY, options)
  }

  /** Runs npm on its own result: in the same folder, or in a clone of it. */
  async repeat (action, { isClone, forced, lock, manifest }) {
    remove(path.join(this.folder, 'again'))
    const [from, to] = [this.first, this.again].map(tool => path.dirname(tool.project))
    if (isClone) {
      furnish(this.again.project, this.one, { root: JSON.parse(manifest) }, lock)
    } else {
      fs.cpSync(from, to, { recursive: true, verbatimSymlinks: true })
    }
    const error = forced
      ? await this.again.run({ action }, true).then(() => undefined, other => other)
      : await this.withNpm(this.again, { action })
    if (error) {
      return { refused: failure(error) }
    }
    const text = read(path.join(this.again.project, 'package-lock.json'))
    return { lock: lockDifferences(lock, text), tree: differences(tree(from), tree(to), 'file') }
  }

  /** The requirements that overrides change and that a lockfile does not meet: dependents and names. */
  async unapplied (lock, manifest) {
    remove(path.join(this.folder, 'again'))
    furnish(this.again.project, this.one, { root: JSON.parse(manifest) }, lock)
    const edges = await this.again.unapplied().catch(() => [])
    return edges.map(({ from, name }) => `${from.location} ${name}`)
  }

  /** Runs npm on a step and on its own result; `own` is dx's lockfile of the step. */
  async step (step, result, own) {
    this.server.serve(step.remote)
    home(this.folder, step, this.git)
    Object.assign(this.one.files, step.files)
    Object.assign(this.one.folders, step.folders)
    furnish(this.first.project, this.one, step, result.start)
    const refused = failure(await this.withNpm(this.first, { ...step }))
    if (refused) {
      return { refused }
    }
    const lock = read(path.join(this.first.project, 'package-lock.json'))
    // `npm ci` leaves the markers of a merge as they are.
    if (lock === undefined || lock.includes('<<<<<<<')) {
      return {}
    }
    const given = { forced: result.forced, lock, manifest: read(path.join(this.first.project, 'package.json')) }
    return {
      isSame: lock === result.lock,
      unapplied: await this.unapplied(lock, given.manifest),
      unappliedByDx: own === undefined ? [] : await this.unapplied(own, given.manifest),
      kept: await this.repeat('install', given),
      clone: await this.repeat('install', { ...given, isClone: true }),
      ci: await this.repeat('ci', { ...given, isClone: true }),
    }
  }
}

/** Runs npm anew on the steps of a recorded project, and on the result of each of them; `locks` are dx's lockfiles. */
exports.second = async (one, results, locks, folder, server, git, tools) => {
  server.publish(one)
  process.env.HOME = home(folder, one, git)
  const runs = new Second(one, folder, server, git, tools)
  const found = []
  for (const [number, result] of results.entries()) {
    found.push(await runs.step(one.steps[number], result, locks[number]))
  }
  return found
}

const FLAGS = / (?:dev|devOptional|optional|peer|inBundle|extraneous): npm /
const COMMANDS = / file .*(?:\/\.bin\/|: npm (?:644, dx 755|755, dx 644)$)/

/**
 * What npm does not keep of its result: `all` of it, or only `flags` of the lockfile or `commands`; with the reason.
 * An `npm ci` that misses nothing but optional packages that nobody has does not count.
 */
const ownFault = ({ refused, unapplied = [], unappliedByDx = [], kept, clone, ci }) => {
  if (refused) {
    return isCrash(refused) ? { all: true, reason: 'npm crashes' } : undefined
  }
  if (unapplied.some(edge => !unappliedByDx.includes(edge)) && unappliedByDx.every(edge => unapplied.includes(edge))) {
    return { all: true, reason: 'npm does not apply an override' }
  }
  const runs = [kept, clone].filter(Boolean)
  if (runs.some(run => run.refused)) {
    return { all: true, reason: 'npm refuses its own result at a second install' }
  }
  const lock = runs.flatMap(run => run.lock)
  if (lock.some(line => !FLAGS.test(line))) {
    return { all: true, reason: "npm's second install changes its lockfile" }
  }
  if (ci?.refused && missedBy(ci.refused).length) {
    return { all: true, reason: 'npm ci refuses its own lockfile' }
  }
  const trees = [kept, clone, ci].filter(run => run?.tree).flatMap(run => run.tree)
  const flags = lock.length > 0
  const commands = trees.some(line => COMMANDS.test(` ${line}`))
  return flags || commands ? { flags, commands, reason: "npm's second install changes its flags or commands" } : undefined
}

/** The fault of a result, and whether `npm ci` refuses it. */
exports.faultOf = (result = {}) => {
  const isRefused = Boolean(result.ci?.refused)
  const fault = ownFault(result) || isRefused && { reason: 'npm ci refuses its own lockfile' }
  return fault ? { ...fault, isRefused } : undefined
}

/**
 * Whether a fault of npm's explains a line of differences. What dx does not keep itself is none of npm's, but for a lockfile that
 * `npm ci` refuses too, if `dx install` has told that `dx ci` does.
 */
exports.explains = (fault, line) => {
  if (/: dx ci of its own lockfile, as told: /.test(line)) {
    return Boolean(fault?.isRefused)
  }
  const isOwn = /: (?:a second dx install|dx ci of its own lockfile): /.test(line)
  return Boolean(fault) && !isOwn && (fault.all || fault.flags && FLAGS.test(line) || fault.commands && COMMANDS.test(line))
}
