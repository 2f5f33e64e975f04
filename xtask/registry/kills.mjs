// Kills dx-registry again and again while versions are published to it and packages of an upstream go through it, as tarballs
// and over DXRP. After each kill it is started on the same folder: no acknowledged version may be missing, every tarball there
// must be whole, and a project must install and update over DXRP as over HTTP, by plans, packages and differences that may have
// been in the making.
//   node kills.mjs --server DX_REGISTRY --dx DX [--runs 200] [--seed N]
import crypto from 'node:crypto'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { Dx, result } from './dxrp.mjs'
import { DxRegistry } from './servers.mjs'
import { Upstream } from './upstream.mjs'

const { filesOf, pack } = createRequire(import.meta.url)('../installs/registry.js')
const { values: options } = parseArgs({ options: Object.fromEntries(['server', 'dx', 'runs', 'seed'].map(name => [name, { type: 'string' }])) })
const runs = Number(options.runs ?? 200)
let state = Number(options.seed ?? 1) || 1

/** A number from 0 up to 1, by xorshift. */
function random () {
  state ^= state << 13
  state ^= state >>> 17
  state ^= state << 5
  return (state >>> 0) / 2 ** 32
}

const place = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'dx-kills-')))
const upstream = await new Upstream().start()
const server = new DxRegistry(path.resolve(options.server), path.join(place, 'dx'))
server.users()
await server.start(upstream.url)
const token = await server.token('alice')

const sri = bytes => `sha512-${crypto.createHash('sha512').update(bytes).digest('base64')}`
const acknowledged = new Map()
let fills = 0
let faults = 0
const fault = text => { faults++; console.log(`WRONG  ${text}`) }

/** The tarball of a version; a large one of bytes that cannot be packed, so that it is written while it arrives. */
function tarball (name, version, large) {
  const manifest = { name, version }
  const files = filesOf(manifest)
  if (large) {
    files['data.txt'] = { text: crypto.createHash('shake256', { outputLength: 1_500_000 }).update(version).digest('base64'), mode: 0o644 }
  }
  return { manifest, bytes: pack(files) }
}

async function publish (name, version, large) {
  const { manifest, bytes } = tarball(name, version, large)
  const file = `${name.split('/').pop()}-${version}.tgz`
  const dist = { integrity: sri(bytes), shasum: crypto.createHash('sha1').update(bytes).digest('hex'), tarball: `${server.url}${name}/-/${file}` }
  const body = {
    _id: name, name, 'dist-tags': { latest: version }, versions: { [version]: { ...manifest, _id: `${name}@${version}`, dist } },
    _attachments: { [file]: { content_type: 'application/octet-stream', data: bytes.toString('base64'), length: bytes.length } },
  }
  const answer = await fetch(`${server.url}${name.replace('/', '%2f')}`, {
    method: 'PUT', headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` }, body: JSON.stringify(body),
  })
  await answer.arrayBuffer()
  if (answer.status === 201) {
    acknowledged.set(`${name}@${version}`, sri(bytes))
  } else {
    fault(`publish ${name}@${version}: ${answer.status}`)
  }
}

/** Publishes one version after the other until the process is gone. */
async function publisher (name, run, large) {
  for (let at = 0; ; at++) {
    try {
      await publish(name, `${run}.${at}.0`, large)
    } catch {
      return
    }
  }
}

/** Fetches packages of the upstream until the process is gone; what arrives whole must be right. */
async function reader (names) {
  for (let at = 0; ; at++) {
    const name = names[at % names.length]
    try {
      const document = await (await fetch(server.url + name.replace('/', '%2f'))).json()
      for (const { dist, version } of Object.values(document.versions)) {
        const answer = await fetch(dist.tarball)
        const bytes = Buffer.from(await answer.arrayBuffer())
        fills++
        if (answer.status !== 200 || sri(bytes) !== upstream.documents.get(name).versions[version].dist.integrity) {
          fault(`${name}@${version}: ${answer.status}, ${bytes.length} bytes`)
        }
      }
    } catch {
      return
    }
  }
}

/** Compares what the registry has of a name with what was acknowledged. */
async function check (name) {
  const answer = await fetch(server.url + name.replace('/', '%2f'), { headers: { authorization: `Bearer ${token}` } })
  const versions = answer.ok ? (await answer.json()).versions : {}
  for (const id of acknowledged.keys()) {
    const at = id.lastIndexOf('@')
    if (id.slice(0, at) === name && !versions[id.slice(at + 1)]) {
      fault(`${id} was acknowledged and is lost`)
    }
  }
  return versions
}

/** Downloads these versions; each must be as its packument says, and as it was published. */
async function whole (name, versions) {
  for (const [version, { dist }] of Object.entries(versions)) {
    const answer = await fetch(dist.tarball)
    const digest = sri(Buffer.from(await answer.arrayBuffer()))
    const published = acknowledged.get(`${name}@${version}`)
    if (answer.status !== 200 || digest !== dist.integrity || (published && digest !== published)) {
      fault(`${name}@${version}: its tarball is torn (${answer.status})`)
    }
  }
}

/** Publishes packages to the upstream that nobody has fetched yet; returns their names. */
function unseen (run) {
  const names = Array.from({ length: 8 }, (_, at) => `fill-${run}-${at}`)
  for (const [at, name] of names.entries()) {
    const data = crypto.randomBytes(at % 2 ? 2_000 : 600_000).toString('base64')
    for (const version of ['1.0.0', '1.0.1']) {
      upstream.add({ name, version }, `${data}\n${version}`)
    }
  }
  return names
}

/** Fetches these packages; the tarballs must be those of the upstream, also where a kill cut their arrival short. */
async function filled (names) {
  for (const name of names) {
    const own = await (await fetch(server.url + name)).json()
    for (const [version, { dist }] of Object.entries(own.versions)) {
      const answer = await fetch(dist.tarball)
      const digest = sri(Buffer.from(await answer.arrayBuffer()))
      digest === upstream.documents.get(name).versions[version].dist.integrity || fault(`${name}@${version} is torn in the cache (${answer.status})`)
    }
  }
}

/** A project that needs all these packages in one version. */
const project = (names, version) => ({ name: 'project', version: '1.0.0', dependencies: Object.fromEntries(names.map(name => [name, version])) })

/** Installs a project and updates it; returns both results, or undefined where a command failed. */
async function installed (client, names) {
  const results = []
  fs.rmSync(path.join(client.folder, 'project'), { recursive: true, force: true })
  for (const version of ['1.0.0', '1.0.1']) {
    const { code, said, project: folder } = await client.install(project(names, version))
    if (code !== 0) {
      return { said }
    }
    results.push(result(folder))
  }
  return { results }
}

/** Over DXRP the same comes as over HTTP, with the key that was signed with before. */
async function overDxrp (names) {
  const [own, http] = [await installed(lasting, names), await installed(alone, names)]
  if (own.said || http.said) {
    return fault(`a project does not install: ${own.said ?? http.said}`)
  }
  installs++
  own.results.join() === http.results.join() || fault('over DXRP a project is another than over HTTP')
  const figures = await server.metrics()
  differences += figures.dxrp_deltas_total
  figures.dxrp_refused_total + figures.dxrp_missing_total === 0 || fault(`${figures.dxrp_refused_total} requests refused, ${figures.dxrp_missing_total} packages missing`)
}

/** Looks at every package and difference that is kept for DXRP: a name in the cache is a whole object. */
function objects () {
  const folder = path.join(server.folder, 'data/dx/registry/cache/dxrp')
  const files = fs.existsSync(folder) ? fs.readdirSync(folder, { recursive: true }).filter(file => /(^|\/)[0-9a-f]{64}(-[0-9a-f]{64})?$/.test(file) && !file.startsWith('plans/')) : []
  for (const file of files) {
    const bytes = fs.readFileSync(path.join(folder, file))
    let at = 0
    for (let more = 1; more && at + 16 <= bytes.length;) {
      more = bytes[at + 1] & 1
      at += 16 + bytes.readUInt32LE(at + 4)
    }
    const label = bytes.length - at - 12
    label >= 0 && bytes.readUInt32LE(at + label) === label || fault(`${file} is torn`)
  }
  return files.length
}

const client = (name, dxrp) => new Dx(path.resolve(options.dx), path.join(place, name), { registry: server.url, dxrp })
const [lasting, alone] = [client('lasting', 'required'), client('alone', 'off')]
let [installs, differences, kept] = [0, 0, 0]
const said = run => `${run} kills: ${acknowledged.size} versions acknowledged, ${fills} tarballs of the upstream, ${installs} projects over DXRP with ${differences} differences, ${kept} objects of DXRP, ${faults} wrong`
const tools = ['@own/small', 'large', '@own/shared']
for (let run = 1; run <= runs; run++) {
  const names = unseen(run)
  const work = [publisher(tools[0], run), publisher(tools[1], run, true), publisher(tools[2], run), publisher(tools[2], `${run}000`), reader(names), reader([...names].reverse())]
  const cut = client(`cut-${run}`, 'required')
  work.push(installed(cut, names))
  await new Promise(resolve => setTimeout(resolve, 5 + random() * 500))
  await server.kill()
  await Promise.all(work)
  await server.start(upstream.url, server.port)
  for (const name of tools) {
    const versions = await check(name)
    const recent = Object.entries(versions).filter(([version]) => run === runs || version.startsWith(`${run}.`) || version.startsWith(`${run}000.`))
    await whole(name, Object.fromEntries(recent))
  }
  kept = objects()
  await filled(names)
  await overDxrp(names)
  fs.rmSync(cut.folder, { recursive: true, force: true })
  if (run % 20 === 0) {
    console.log(said(run))
  }
}
await server.kill()
await upstream.stop()
fs.rmSync(place, { recursive: true, force: true })
console.log(said(runs))
process.exit(faults === 0 ? 0 : 1)
