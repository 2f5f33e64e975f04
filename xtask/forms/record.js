// npm's side of a generated project: what it makes of each step. It is recorded once, and compared with any dx later.
'use strict'

const { execFile } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { Random } = require('../../crates/dx-pkg-resolve/tests/oracle/generate.js')
const lockfile = require('../installs/lockfile.js')
const { tree } = require('../installs/differences.js')
const { damage } = require('./damage.js')
const { furnish, home, read } = require('./place.js')
const { REGISTRY } = require('./server.js')

/**
 * The settings of npm's library that its program would have, with every source allowed. It would remember the branches of an
 * address for five minutes, those of earlier steps and projects too.
 */
const settings = proxy => ({
  proxy, httpsProxy: proxy, noProxy: '', allowGit: 'all', allowFile: 'all', allowDirectory: 'all', fetchRetries: 0,
  fetchRetry: { retries: 0 }, retry: { retries: 0 }, noGitRevCache: true,
})

exports.settings = settings

/** Runs npm 6, which writes the lockfile that old projects have. */
const ancient = (cli, folder, project, proxy) => new Promise((resolve, reject) => {
  const words = [
    cli, 'install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-optional-warnings', '--registry', REGISTRY, '--proxy', proxy,
    '--cache', path.join(folder, 'cache6'), '--fetch-retries', '0', '--loglevel', 'error',
  ]
  const environment = { PATH: process.env.PATH, HOME: path.join(folder, 'home'), NODE_NO_WARNINGS: '1' }
  execFile(process.execPath, words, { cwd: project, env: environment, timeout: 60000 }, error => error ? reject(error) : resolve())
})

/** The lockfile that a step starts from, in its version and with its damage; undefined where npm cannot write it. */
const before = async (step, one, lock, tool, places, old) => {
  let text = lock
  if (text !== undefined && step.lockfileVersion) {
    furnish(places.project, one, step, text)
    text = await tool.convert(step.lockfileVersion).catch(() => undefined)
  }
  if (step.npm6) {
    const modules = path.join(places.project, 'node_modules')
    fs.rmSync(modules, { recursive: true, force: true })
    fs.rmSync(path.join(places.project, 'package-lock.json'), { force: true })
    furnish(places.project, one, { ...step, keep: false }, undefined)
    await ancient(old, places.folder, places.project, places.proxy).catch(() => undefined)
    text = read(path.join(places.project, 'package-lock.json'))
    fs.rmSync(modules, { recursive: true, force: true })
  }
  text = text && lockfile.edit(text, step, one.registry)
  return text && step.damage !== undefined ? damage(text, new Random(step.damage), /"lockfileVersion": 1\b/.test(text)) : text
}

/** Runs a project's steps with npm; returns what each came to, with the lockfile it started from. */
exports.record = async (one, folder, server, { Npm, withNpm }, old, git) => {
  const proxy = server.address
  const tool = new Npm(folder, REGISTRY, settings(proxy))
  const places = { folder, project: tool.project, proxy }
  server.publish(one)
  process.env.HOME = home(folder, one, git)
  const results = []
  let lock
  for (const [number, step] of one.steps.entries()) {
    server.serve(step.remote)
    home(folder, step, git)
    Object.assign(one.files, step.files)
    Object.assign(one.folders, step.folders)
    const start = await before(step, one, lock, tool, places, old)
    if ((step.lockfileVersion || step.npm6) && start === undefined) {
      break
    }
    furnish(tool.project, one, step, start)
    const refused = await withNpm(tool, step)
    if (refused?.code === 'ENDLESS') {
      break
    }
    const result = { start, forced: step.forced, refused: refused && `${refused.code}: ${refused.message}`.slice(0, 600) }
    results.push(result)
    if (refused) {
      if (step.action === 'ci' || step.damage !== undefined) {
        continue
      }
      break
    }
    result.lock = read(path.join(tool.project, 'package-lock.json'))
    result.hidden = read(path.join(tool.project, 'node_modules/.package-lock.json'))
    result.manifest = read(path.join(tool.project, 'package.json'))
    result.tree = tree(path.dirname(tool.project))
    if (step.action !== 'ci' && step.damage === undefined) {
      lock = result.lock
    }
    if (step.specs) {
      const saved = JSON.parse(result.manifest)
      one.steps.slice(number + 1).filter(later => later.root === step.root).forEach(later => { later.root = saved })
    }
  }
  return results
}
