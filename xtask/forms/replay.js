// dx's side of a recorded project, and what differs from npm's.
'use strict'

const { execFile } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { differences, entryDifferences, lockDifferences, short, tree } = require('../installs/differences.js')
const { explain } = require('./intended.js')
const { furnish, home, read } = require('./place.js')
const old = require('./old.js')
const { ownRefusalOf, reasonOf, refusalOf } = require('./trees.js')
const { REGISTRY } = require('./server.js')

class Dx {
  constructor (folder, proxy, binary) {
    this.project = path.join(folder, 'dx/project')
    this.binary = binary
    this.environment = {
      PATH: process.env.PATH, HOME: path.join(folder, 'home'), DX_STORE: path.join(folder, 'store'), DX_BACKGROUND: '0',
      DX_PREPARED_TREES: '0', npm_config_registry: REGISTRY, npm_config_proxy: proxy, npm_config_https_proxy: proxy,
      npm_config_min_release_age: '0', npm_config_fetch_retries: '0', npm_config_solve: 'false', npm_config_allow_remote: 'all',
      npm_config_allow_git: 'all', npm_config_allow_file: 'all', npm_config_allow_directory: 'all',
    }
  }

  run ({ action, specs = [] }) {
    const words = [action, ...specs, '--ignore-scripts']
    return new Promise(resolve => {
      execFile(this.binary, words, { cwd: this.project, env: this.environment, timeout: 60000 }, (error, stdout, stderr) => {
        this.said = stderr
        resolve(error ? { code: /\[(DX_\w+)\]/.exec(stderr)?.[1] || `exit ${error.code} ${error.signal || ''}`, message: stderr } : undefined)
      })
    })
  }
}

/**
 * What dx does otherwise on purpose, see docs/npm-differences.md: each package of two with a command of one name can be
 * executed, a digest that nobody published is recorded, a package that npm breaks a circle with by a link to it keeps its
 * own commands, the commands in a kept tree are those of the packages in it, the hidden lockfile knows the sources that a
 * lockfile lacks, and licences that are text, and what is in a tarball and required there is bundled.
 */
const isIntended = (line, { circles, keep, digests }) =>
  digests === 'none' && / integrity: npm nothing, dx sha512-/.test(line) ||
  / file .*\/.bin\/.*: npm -> .*, dx -> /.test(line) && circles.has(old.linked(line).at(-1)) ||
  / file .*: npm 644, dx 755$/.test(line) || circles.size > 0 && / file .*\/.bin\/.*: npm nothing, dx -> /.test(line) ||
  keep && / file .*\/.bin\//.test(line) || / hidden .* (resolved|integrity): npm nothing, dx /.test(line) ||
  / hidden .* license: npm \[/.test(line) || / inBundle: npm nothing, dx true$/.test(line)

/** Refusals of one of the two, on purpose: optional packages that nobody has, and tags in the names of overrides. */
const isIntendedRefusal = (refused, failed) =>
  /^EUSAGE: ((Missing: \S+@ from lock file|Invalid: lock file's (\S+@ does not satisfy \S+|\S+ does not satisfy \S+@))\s*)+$/.test(refused) && !failed ||
  !refused && failed?.code === 'DX_BAD_OVERRIDES'

/** Whether npm stops at what a bundled package of the lockfile requires, its tarball lacks, and nobody has. */
const isLackOfBundle = (refused, packages) => {
  const [, asked] = /^(?:ETARGET|E404): No matching version found for (.+)\.$/.exec(refused) || []
  const asks = entry => Object.entries(entry.dependencies || {}).some(([name, spec]) => asked === (spec.startsWith('npm:') ? spec.slice(4) : `${name}@${spec}`))
  return Boolean(asked) && Object.values(packages || {}).some(entry => entry.inBundle && asks(entry))
}

/** Files of folders that npm leaves behind, though neither lockfile has a package there. */
const isLeftBehind = (line, known) => {
  const [, path] = /: file project\/(.+node_modules\/(?:@[^/]+\/)?[^/]+)\/[^:]*: npm .*, dx nothing$/.exec(line) || []
  return Boolean(path && !path.startsWith('node_modules/') && !known[path])
}

/** What npm does not complete in a lockfile of version 1: aliases, and what is below folders. */
const isIncomplete = (line, known) => {
  const [, path] = /: (?:entry|hidden) (\S+) \w+: /.exec(line) || []
  return path ? !path.startsWith('node_modules/') || Boolean(known[path]?.name) : / file .*\/.bin\/.*: npm nothing, dx -> /.test(line)
}

/** The packages that npm breaks circles with, by links to them. */
const circlesOf = text => [...text.matchAll(/"resolved": "(node_modules\/[^"]*)",\s*"link": true/g)].map(([, path]) => path)

/** The entries of a lockfile; none where it is of version 1 or has the markers of a merge. */
const packagesOf = text => {
  try {
    return JSON.parse(text).packages
  } catch {
    return {}
  }
}

/** The entries of the hidden lockfile that differ. */
const hiddenDifferences = (theirs, ours) => entryDifferences(packagesOf(theirs), packagesOf(ours), 'hidden')

/**
 * What a second `dx install` changes, and why `dx ci` refuses a clone with the lockfile; of that, whether the install has told.
 */
const changesOfSecond = async (ours, one, step) => {
  const isTold = /^warning: dx ci would refuse this result: /m.test(ours.said)
  const top = path.dirname(ours.project)
  const file = name => read(path.join(ours.project, name))
  const [lock, manifest, before] = [file('package-lock.json'), file('package.json'), tree(top)]
  const again = await ours.run({ action: 'install' })
  const changes = again
    ? [`fails: ${again.code}`]
    : [...lockDifferences(lock, file('package-lock.json')), ...differences(before, tree(top), 'file')]
  const clone = new Dx(path.join(path.dirname(top), 'clone'), undefined, ours.binary)
  clone.environment = ours.environment
  furnish(clone.project, one, { ...step, keep: false, root: JSON.parse(manifest) }, lock)
  const refused = await clone.run({ action: 'ci' })
  return [
    ...changes.slice(0, 3).map(line => `a second dx install: ${line}`),
    ...refused ? [`dx ci of its own lockfile${isTold ? ', as told' : ''}: ${refused.code} ${short(refused.message)}`] : [],
  ]
}

/** Whether npm has not written the lockfile, as it does where nothing is there twice, see docs/npm-differences.md. */
const isUnwritten = ({ action }, { start, lock }) => {
  const names = Object.keys(packagesOf(lock) || {}).map(at => at ? at.split('node_modules/').pop().split('/').slice(-2) : ['project'])
  const short = names.map(parts => parts[0].startsWith('@') ? parts.join('/') : parts.at(-1))
  return action === 'dedupe' && start === lock && new Set(short).size === short.length
}

/** All manifests that npm may meet in a project, but its own. */
const manifestsOf = ({ registry, folders, files, remote, contents }) => {
  const packed = [...Object.values(files), ...Object.values(remote), ...Object.values(contents)]
  const inside = packed.flatMap(one => [one.manifest, ...(one.bundled || []).map(bundled => bundled.manifest || bundled)])
  const published = [...Object.values(registry).flatMap(({ versions }) => Object.values(versions)), ...inside].filter(Boolean)
  return [...published.map(manifest => ({ ...manifest, devDependencies: undefined })), ...Object.values(folders)]
}

/** The reason why a refusal of npm's is intended: its `npm ci` refuses what its own install has written. */
const refusesOwn = (one, results, number) => {
  const [step, { start, refused }] = [one.steps[number], results[number]]
  const isOwn = results.slice(0, number).some(({ lock }, before) => lock === start && one.steps[before].action !== 'ci')
  const isWhole = step.damage === undefined && !step.lockfileVersion && !step.npm6
  return isOwn && isWhole && step.action === 'ci' && /^EUSAGE: /.test(refused) ? 'npm ci refuses its own lockfile' : undefined
}

/** Compares the steps of a project; returns what differs, what is intended, dx's lockfiles, and how many steps were compared. */
exports.replay = async (one, results, folder, server, binary, git, { semver, isTwice }) => {
  if (results.length) {
    server.publish(one)
    home(folder, one, git)
  }
  const ours = new Dx(folder, server.address, binary)
  ours.environment.npm_config_allow_missing_integrity = String(one.digests === 'none')
  const found = []
  const intended = new Set()
  let compared = 0
  const written = []
  const isOld = ['version-1', 'npm-6'].includes(one.kind)
  const circles = new Set()
  for (const [number, result] of results.entries()) {
    const step = one.steps[number]
    server.serve(step.remote)
    home(folder, step, git)
    Object.assign(one.files, step.files)
    Object.assign(one.folders, step.folders)
    furnish(ours.project, one, step, result.start)
    const failed = await ours.run(step)
    if (result.forced && failed?.code === 'DX_UNSUPPORTED_PLATFORM') {
      break // npm's --force goes past platforms, too
    }
    compared++
    const label = line => `step ${number} ${step.action}: ${line}`
    if (isIntendedRefusal(result.refused, failed)) {
      break
    }
    if (!failed && isLackOfBundle(result.refused, packagesOf(result.start))) {
      intended.add('npm stops at what a bundled package lacks and nobody has')
      break
    }
    const file = name => read(path.join(ours.project, name))
    const report = lines => {
      const context = { one, step, npm: result, failed, lock: file('package-lock.json'), packagesOf, semver }
      const { left, reason } = explain(lines, context)
      reason && intended.add(reason)
      found.push(...left)
      return left.length > 0
    }
    const reason = failed
      ? !result.refused && ownRefusalOf(failed, result.start, one.folders)
      : refusalOf(result, step.root, manifestsOf(one))
    const refusal = !failed && result.refused &&
      (refusesOwn(one, results, number) || old.refusal(result.start, result.refused, step.root))
    if (reason || refusal) {
      intended.add(reason || refusal)
      if (!reason) {
        continue
      }
      break
    }
    if (!result.refused !== !failed) {
      const outcome = `npm ${short(result.refused || 'goes on')}, dx ${failed ? `${failed.code} ${short(failed.message)}` : 'goes on'}`
      if (report([label(outcome)])) {
        break
      }
      continue
    }
    if (failed) {
      continue
    }
    const texts = [result.lock, file('package-lock.json')].filter(Boolean)
    texts.flatMap(circlesOf).forEach(path => circles.add(path))
    const lines = [
      ...isUnwritten(step, result) ? [] : lockDifferences(result.lock, file('package-lock.json')),
      ...differences(result.tree, tree(path.dirname(ours.project)), 'file'),
      ...hiddenDifferences(result.hidden, file('node_modules/.package-lock.json')),
      ...differences(...[result.manifest, file('package.json')].map(text => JSON.parse(text)), 'package.json'),
    ].map(label)
    const known = { ...packagesOf(result.lock), ...packagesOf(result.hidden) }
    const counts = line => !isIntended(line, { circles, keep: step.keep, digests: one.digests }) && !isLeftBehind(line, known) && !(isOld && isIncomplete(line, known))
    const own = { ...packagesOf(file('package-lock.json')), ...packagesOf(file('node_modules/.package-lock.json')) }
    const differ = lines.filter(counts).filter(line => {
      const reason = old.kept(line, result.start) || old.stray(line, result.start, result.lock) ||
        line.endsWith('another text') && old.spelling(result.start, result.lock, file('package-lock.json')) || reasonOf(line, known, own, one.folders)
      reason && intended.add(reason)
      return !reason
    })
    const locks = [result.lock, file('package-lock.json'), file('node_modules/.package-lock.json')]
    written[number] = locks[1]
    const why = !differ.length ? undefined
      : isOld && old.incompleteOldLockfile(result.start, differ, ...locks) || old.askedAgain(result.start, differ, step.root, ...locks) ||
        old.lacking(differ, ...locks)
    why && intended.add(why)
    const isLeft = !why && report(differ)
    if (step.action !== 'ci' && (isLeft || isTwice)) {
      found.push(...(await changesOfSecond(ours, one, step)).map(label))
    }
  }
  return { found, compared, locks: written, intended: [...intended] }
}
