// A proxy on a port of 127.0.0.1 that answers for every host of a generated project: its registry and its file server.
// The addresses in lockfiles are therefore the same in every run.
'use strict'

const crypto = require('node:crypto')
const http = require('node:http')
const { filesOf, pack } = require('../installs/registry.js')

const REGISTRY = 'http://registry.example/'
const FILES = 'http://files.example/'

/** The tarball of `{manifest, bundled, files}`. */
const tarball = ({ manifest, bundled, files = {} }) => {
  const more = Object.fromEntries(Object.entries(files).map(([name, text]) => [name, { text, mode: 0o644 }]))
  return pack({ ...filesOf(manifest, bundled), ...more })
}

class Server {
  constructor () {
    this.answers = new Map()
    this.server = http.createServer((request, response) => {
      const found = this.answers.get(decodeURIComponent(request.url))
      if (found?.location) {
        response.writeHead(302, { location: found.location })
        response.end()
        return
      }
      const type = Buffer.isBuffer(found) ? 'application/octet-stream' : 'application/json'
      response.writeHead(found ? 200 : 404, { 'content-type': type, 'cache-control': 'max-age=300' })
      response.end(found || '{"error":"not found"}')
    })
    this.server.on('connect', (request, socket) => socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'))
  }

  async start () {
    await new Promise(resolve => this.server.listen(0, '127.0.0.1', resolve))
    this.address = `http://127.0.0.1:${this.server.address().port}`
  }

  /** Publishes a project's packages, as its registry's packuments with the digests that it has, tarballs and remote files. */
  publish ({ registry, contents, remote, digests }) {
    this.answers.clear()
    for (const packument of Object.values(registry)) {
      for (const manifest of Object.values(packument.versions)) {
        const bytes = tarball({ manifest, ...contents[`${manifest.name}@${manifest.version}`] })
        const address = `${REGISTRY}${manifest.name}/-/${manifest.name.split('/').pop()}-${manifest.version}.tgz`
        const digest = (name, form) => crypto.createHash(name).update(bytes).digest(form)
        manifest.dist = { tarball: address, integrity: `sha512-${digest('sha512', 'base64')}`, shasum: digest('sha1', 'hex') }
        digests && digests !== 'sha512' && delete manifest.dist.integrity
        digests === 'none' && delete manifest.dist.shasum
        this.answers.set(address, bytes)
      }
      this.answers.set(`${REGISTRY}${packument.name}`, JSON.stringify(packument))
    }
    this.serve(remote)
  }

  /** Serves the files of other hosts, by their addresses: packages, or `{location}` of another one. */
  serve (remote) {
    for (const [address, found] of Object.entries(remote || {})) {
      this.answers.set(address, found.location ? found : tarball(found))
    }
  }
}

module.exports = { FILES, REGISTRY, Server, tarball }
