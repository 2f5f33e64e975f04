// Whole installs of random projects with npm and with dx: the same lockfile, the same tree, the same refusals.
//   node compare.js <npm package folder> <dx> <first seed> <number> [--kind NAME] [--keep FOLDER]
// Prints a line for each project that differs, then the sums. npm's own code runs in processes of this script, a batch of
// projects in each, so that a project takes a tenth of a second and one at which npm does not come to an end is left out.
// Each step starts from npm's lockfile, which a step may edit first. The kind dedupe stands for all of them, with two
// steps more that deduplicate: what the steps left, and what comes of it when the project's requirements have moved.
'use strict'

const { execFile, spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { parseArgs } = require('node:util')
const { Registry } = require('./registry.js')
const { generate } = require('./projects.js')
const lockfile = require('./lockfile.js')
const { load } = require('./npm.js')
const { differences, lockDifferences, short, tree } = require('./differences.js')

const { values: flags, positionals } = parseArgs({
  options: { kind: { type: 'string' }, keep: { type: 'string' }, worker: { type: 'boolean' } },
  allowPositionals: true,
})
const [npm, dx] = positionals.map(one => path.resolve(one))
const [first, number] = positionals.slice(2).map(Number)
const { Npm, semver, withNpm } = load(npm)

const write = (file, text) => {
  fs.mkdirSync(path.dirname(file), { recursive: true })
  fs.writeFileSync(file, text)
}
const json = value => JSON.stringify(value, null, 2) + '\n'
const read = file => fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : undefined
const remove = folder => fs.rmSync(folder, { recursive: true, force: true })

class Dx {
  constructor (folder, registry) {
    this.project = path.join(folder, 'dx/project')
    this.environment = {
      PATH: process.env.PATH, HOME: path.join(folder, 'home'), DX_STORE: path.join(folder, 'store'), DX_BACKGROUND: '0',
      DX_PREPARED_TREES: '0', npm_config_registry: registry, npm_config_min_release_age: '0', npm_config_solve: 'false', npm_config_allow_remote: 'all',
    }
  }

  run ({ action, specs = [] }) {
    const words = [action, ...specs, '--ignore-scripts']
    return new Promise((resolve, reject) => {
      execFile(dx, words, { cwd: this.project, env: this.environment, timeout: 60000 }, (error, stdout, stderr) => {
        this.said = stdout + stderr
        error ? reject(Object.assign(new Error(stderr), { code: /\[(DX_\w+)\]/.exec(stderr)?.[1] || `exit ${error.code}` })) : resolve()
      })
    })
  }
}

const furnish = (project, one, step, lock) => {
  write(path.join(project, 'package.json'), json(step.root))
  for (const [folder, manifest] of Object.entries(one.folders)) {
    write(path.join(project, folder, 'package.json'), json(manifest))
    write(path.join(project, folder, 'cli.js'), '#!/usr/bin/env node\n')
  }
  if (lock !== undefined) {
    write(path.join(project, 'package-lock.json'), lock)
  }
  if (!step.keep) {
    remove(path.join(project, 'node_modules'))
  }
}

/**
 * What dx does otherwise on purpose, see docs/npm-differences.md: a digest that nobody published is recorded, each
 * package of two with a command of one name can be executed, and a package that npm breaks a circle with by a link to it
 * keeps its own commands.
 */
const isIntended = (one, line) =>
  one.digests === 'none' && / integrity: npm nothing, dx sha512-/.test(line) ||
  / file .*: npm 644, dx 755$/.test(line) ||
  one.linksInside && / file .*\/.bin\/.*: npm nothing, dx -> /.test(line)

/** The names that several packages or folders of a lockfile have. */
const duplicated = lock => {
  const names = Object.keys(JSON.parse(lock).packages).map(at => at ? at.split('node_modules/').pop().split('/').slice(-2) : ['project'])
  const short = names.map(parts => parts[0].startsWith('@') ? parts.join('/') : parts.at(-1))
  return short.filter((name, at) => short.indexOf(name) !== at)
}

/** Adds the steps of the kind dedupe. */
const dedupeAtEnd = one => {
  const last = one.steps.at(-1).root
  const more = structuredClone(last)
  const sections = ['dependencies', 'devDependencies', 'optionalDependencies'].filter(section => more[section])
  for (const section of sections) {
    for (const [name, range] of Object.entries(more[section])) {
      const older = /^\^(\d+)\.(\d+)\.\d+$/.exec(range)
      more[section][name] = older ? `${older[1]}.x` : range
    }
  }
  one.steps.push({ root: last, action: 'dedupe', keep: one.seed % 2 === 0 })
  one.steps.push({ root: more, action: 'install', keep: true }, { root: more, action: 'dedupe', keep: true })
}

/** Compares the steps of a project; returns what differs, and how many steps were compared. */
const compare = async (one, folder, registry) => {
  const [theirs, ours] = [new Npm(folder, registry), new Dx(folder, registry)]
  const found = []
  let lock
  let compared = 0
  for (const [number, step] of one.steps.entries()) {
    if (step.lockfileVersion && lock) {
      try {
        furnish(theirs.project, one, step, lock)
        lock = await theirs.convert(step.lockfileVersion)
      } catch {
        break // npm cannot build such a lockfile
      }
    }
    lock = lock && lockfile.edit(lock, step, one.registry)
    furnish(theirs.project, one, step, lock)
    furnish(ours.project, one, step, lock)
    const refused = await withNpm(theirs, step)
    if (refused?.code === 'ENDLESS') {
      break
    }
    const failed = await ours.run(step).then(() => undefined, error => error)
    if (step.forced && failed?.code === 'DX_UNSUPPORTED_PLATFORM') {
      break // npm's --force goes past platforms, too
    }
    compared++
    const label = line => `step ${number} ${step.action}: ${line}`
    if (!refused !== !failed) {
      found.push(label(`npm ${short(refused?.message || 'goes on')}, dx ${short(failed?.message || 'goes on')}`))
    }
    if (refused || failed) {
      if (step.action === 'ci') {
        continue
      }
      break
    }
    const breaksCircle = text => /"resolved": "node_modules\/[^"]*",\s*"link": true/.test(text)
    const results = [theirs, ours].map(tool => read(path.join(tool.project, 'package-lock.json')))
    one.linksInside ||= results.some(breaksCircle)
    // npm does not write the lockfile where nothing is there twice, see docs/npm-differences.md.
    const isUnwritten = step.action === 'dedupe' && results[0] === lock && !duplicated(lock).length
    found.push(...isUnwritten ? [] : lockDifferences(...results).map(label))
    found.push(...differences(tree(path.dirname(theirs.project)), tree(path.dirname(ours.project)), 'file').map(label))
    found.push(...differences(...[theirs, ours].map(tool => JSON.parse(read(path.join(tool.project, 'package.json')))), 'package.json').map(label))
    if (step.action !== 'ci') {
      lock = results[0]
    }
    if (step.specs) {
      const saved = JSON.parse(read(path.join(theirs.project, 'package.json')))
      one.steps.slice(number + 1).filter(later => later.root === step.root).forEach(later => { later.root = saved })
    }
  }
  return { found, compared }
}

const work = async () => {
  const place = fs.mkdtempSync(path.join(fs.existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir(), 'installs-'))
  const server = new Registry()
  await server.start()
  const sums = {}
  for (let seed = first; seed < first + number; seed++) {
    const dedupes = flags.kind === 'dedupe'
    const one = generate(seed, semver, dedupes ? undefined : flags.kind)
    dedupes && dedupeAtEnd(one)
    const registry = server.publish(`s${seed}`, one.registry, one.bundles, one.digests)
    const folder = path.join(place, String(seed))
    let outcome
    try {
      outcome = await compare(one, folder, registry)
    } catch (error) {
      outcome = { found: [`not compared: ${error.stack}`], compared: 0 }
    }
    const sum = sums[one.kind] ||= { projects: 0, steps: 0, different: 0 }
    sum.projects++
    sum.steps += outcome.compared
    outcome.found = outcome.found.filter(line => !isIntended(one, line))
    if (outcome.found.length) {
      sum.different++
      console.log(`seed ${seed} ${one.kind}: ${outcome.found.slice(0, 12).join('\n    ')}`)
      if (flags.keep) {
        fs.cpSync(folder, path.join(flags.keep, String(seed)), { recursive: true, verbatimSymlinks: true })
      }
    }
    remove(folder)
    server.forget()
  }
  remove(place)
  server.server.close()
  console.log(JSON.stringify(sums))
}

/** The projects of one process, the most that lie in memory when npm does not come to an end, and its time in ms. */
const BATCH = 20
const MEMORY = 700
const TIME = 240000

/** Compares `count` projects from `seed` on in another process; false if that dies. */
const batch = (seed, count, sums) => {
  const given = ['kind', 'keep'].filter(name => flags[name]).flatMap(name => [`--${name}`, flags[name]])
  const words = [`--max-old-space-size=${MEMORY}`, __filename, npm, dx, String(seed), String(count), ...given, '--worker']
  const done = spawnSync(process.execPath, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: TIME })
  if (done.status !== 0) {
    return false
  }
  const lines = done.stdout.trimEnd().split('\n')
  for (const [kind, sum] of Object.entries(JSON.parse(lines.pop()))) {
    const all = sums[kind] ||= { projects: 0, steps: 0, different: 0 }
    Object.keys(all).forEach(key => { all[key] += sum[key] })
  }
  lines.forEach(line => console.log(line))
  return true
}

const main = () => {
  const sums = {}
  const leftOut = []
  for (let seed = first; seed < first + number; seed += BATCH) {
    const count = Math.min(BATCH, first + number - seed)
    if (!batch(seed, count, sums)) {
      for (let one = seed; one < seed + count; one++) {
        batch(one, 1, sums) || leftOut.push(one)
      }
    }
  }
  for (const [kind, { projects, steps: count, different }] of Object.entries(sums)) {
    console.log(`${kind}: ${projects} projects in ${count} steps, ${different} different`)
    process.exitCode ||= Number(different > 0)
  }
  if (leftOut.length) {
    console.log(`left out, as npm does not come to an end: seeds ${leftOut.join(', ')}`)
  }
}

flags.worker ? work() : main()
