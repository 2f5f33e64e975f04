// Whole installs of random projects with everything that a package.json can require, with npm and with dx. The kind installs
// is about packages of a registry only, installs/NAME one kind of these; dedupe are these with steps that deduplicate.
//   node compare.js <npm package folder> <first seed> <number> --record FOLDER [--dx PATH] [--old PATH] [--kind A,B] [--keep FOLDER] [--twice]
// npm's side is recorded in FOLDER, a file for each project, and read from there if it is there; without --dx nothing is
// compared. --old is the npm 6 that writes the lockfiles of the kind npm-6. Prints a line for each project that differs,
// then the sums. Each step starts from npm's lockfile, which a step may damage first. Where a step differs, npm is run on its
// own result: what it does not keep itself is reported as intended, and counted apart, if dx keeps its result. --twice looks
// in every step whether a second `dx install` changes anything.
'use strict'

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { parseArgs } = require('node:util')
const zlib = require('node:zlib')
const { load } = require('../installs/npm.js')
const { Daemon } = require('./daemon.js')
const { Server } = require('./server.js')
const { KINDS, generate } = require('./projects.js')
const { record } = require('./record.js')
const { replay } = require('./replay.js')
const { explains, faultOf, second } = require('./second.js')

const { values: flags, positionals } = parseArgs({
  options: {
    record: { type: 'string' }, dx: { type: 'string' }, old: { type: 'string' }, kind: { type: 'string' }, keep: { type: 'string' },
    worker: { type: 'boolean' }, twice: { type: 'boolean' },
  },
  allowPositionals: true,
})
const npm = path.resolve(positionals[0])
const [first, number] = positionals.slice(1).map(Number)
const kinds = flags.kind && flags.kind !== 'all' ? flags.kind.split(',') : KINDS
const kindOf = seed => kinds[seed % kinds.length]
const remove = folder => fs.rmSync(folder, { recursive: true, force: true })

const fileOf = seed => path.join(flags.record, kindOf(seed), `${seed}.json.gz`)

const readRecord = file => fs.existsSync(file) ? JSON.parse(zlib.gunzipSync(fs.readFileSync(file))) : undefined

const writeRecord = (file, recorded) => {
  fs.mkdirSync(path.dirname(file), { recursive: true })
  fs.writeFileSync(`${file}.part`, zlib.gzipSync(JSON.stringify(recorded)))
  fs.renameSync(`${file}.part`, file)
}

/** The record of a project, made if it is not there; undefined where npm 6 would be needed. */
const recorded = async (seed, folder, server, daemon) => {
  const file = fileOf(seed)
  const known = readRecord(file)
  if (known) {
    return known
  }
  if (kindOf(seed) === 'npm-6' && !flags.old) {
    return undefined
  }
  const tools = load(npm)
  const one = generate(seed, tools.semver, kindOf(seed))
  const input = structuredClone(one)
  const results = await record(one, folder, server, tools, flags.old, await daemon.address())
  input.steps = one.steps
  const made = { project: input, results }
  writeRecord(file, made)
  return made
}

/** Sets the differences that are faults of npm's apart: steps of which its own second run makes something else. */
const setApart = async (outcome, known, folder, server, git) => {
  const faults = (await second(known.project, known.results, outcome.locks, folder, server, git, load(npm))).map(faultOf)
  const reasons = new Set(outcome.intended)
  outcome.found = outcome.found.filter(line => {
    const [, number] = /^step (\d+) /.exec(line) || []
    const isExplained = explains(faults[number], line)
    isExplained && reasons.add(faults[number].reason)
    return !isExplained
  })
  outcome.intended = [...reasons]
}

const work = async () => {
  const place = fs.mkdtempSync(path.join(fs.existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir(), 'forms-'))
  const server = new Server()
  await server.start()
  const daemon = new Daemon(place)
  const semver = require(path.join(npm, 'node_modules/semver'))
  const sums = {}
  for (let seed = first; seed < first + number; seed++) {
    const folder = path.join(place, String(seed))
    let outcome = { found: [], intended: [], locks: [], compared: 0 }
    let kind = kindOf(seed)
    try {
      const known = await recorded(seed, folder, server, daemon)
      if (!known) {
        continue
      }
      kind = known.project.kind || kind
      if (flags.dx) {
        const git = await daemon.address()
        outcome = await replay(structuredClone(known.project), known.results, folder, server, path.resolve(flags.dx), git, { semver, isTwice: flags.twice })
        if (outcome.found.length) {
          await setApart(outcome, known, path.join(place, `${seed}-npm`), server, git)
        }
      }
    } catch (error) {
      outcome.found = [`not compared: ${error.stack}`]
    }
    const sum = sums[kind] ||= { projects: 0, steps: 0, different: 0, intended: 0 }
    sum.projects++
    sum.steps += outcome.compared
    if (outcome.found.length) {
      sum.different++
      console.log(`seed ${seed} ${kind}: ${outcome.found.slice(0, 12).join('\n    ')}`)
      if (flags.keep) {
        fs.cpSync(folder, path.join(flags.keep, String(seed)), { recursive: true, verbatimSymlinks: true })
      }
    } else if (outcome.intended.length) {
      sum.intended++
      console.log(`seed ${seed} ${kind}: intended: ${outcome.intended.join(', ')}`)
    }
    remove(folder)
    remove(path.join(place, `${seed}-npm`))
  }
  remove(place)
  server.server.close()
  daemon.stop()
  console.log(JSON.stringify(sums))
}

/** The projects of one process, the most that lie in memory when npm does not come to an end, and its time in ms. */
const BATCH = 20
const MEMORY = 700
const TIME = 600000

/** Compares `count` projects from `seed` on in another process; false if that dies. */
const batch = (seed, count, sums) => {
  const given = ['record', 'dx', 'old', 'kind', 'keep'].filter(name => flags[name]).flatMap(name => [`--${name}`, flags[name]])
  flags.twice && given.push('--twice')
  const words = [`--max-old-space-size=${MEMORY}`, __filename, npm, String(seed), String(count), ...given, '--worker']
  const done = spawnSync(process.execPath, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: TIME })
  if (done.status !== 0) {
    return false
  }
  const lines = done.stdout.trimEnd().split('\n')
  for (const [kind, sum] of Object.entries(JSON.parse(lines.pop()))) {
    const all = sums[kind] ||= { projects: 0, steps: 0, different: 0, intended: 0 }
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
        if (!batch(one, 1, sums)) {
          leftOut.push(one)
          // Not tried again: a record without steps.
          fs.existsSync(fileOf(one)) || writeRecord(fileOf(one), { project: { steps: [] }, results: [] })
        }
      }
    }
  }
  for (const [kind, { projects, steps, different, intended }] of Object.entries(sums)) {
    console.log(`${kind}: ${projects} projects in ${steps} steps, ${different} different, ${intended} more on purpose`)
    process.exitCode ||= Number(different > 0)
  }
  if (leftOut.length) {
    console.log(`left out, as npm does not come to an end: seeds ${leftOut.join(', ')}`)
  }
}

flags.worker ? work() : main()
