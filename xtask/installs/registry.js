// The tarballs of generated packages, with real files.
'use strict'

const zlib = require('node:zlib')

const header = (path, size, mode) => {
  const block = Buffer.alloc(512)
  // A long path is in two fields, apart at a slash.
  const at = path.length > 100 ? path.indexOf('/', path.length - 101) : -1
  block.write(path.slice(at + 1), 0, 100)
  at > 0 && block.write(path.slice(0, at), 345, 155)
  const octal = (value, at, width) => block.write(value.toString(8).padStart(width - 1, '0') + '\0', at, width)
  octal(mode, 100, 8)
  octal(0, 108, 8)
  octal(0, 116, 8)
  octal(size, 124, 12)
  octal(499162500, 136, 12)
  block.write('        ', 148, 8)
  block.write('0', 156, 1)
  block.write('ustar\x0000', 257, 8)
  octal(block.reduce((sum, byte) => sum + byte, 0), 148, 7)
  return block
}

/** Packs files, `{path: {text, mode}}`, as a gzipped tar archive. */
const pack = files => {
  const blocks = []
  for (const [path, { text, mode }] of Object.entries(files)) {
    const bytes = Buffer.from(text)
    blocks.push(header(`package/${path}`, bytes.length, mode), bytes, Buffer.alloc((512 - bytes.length % 512) % 512))
  }
  blocks.push(Buffer.alloc(1024))
  return zlib.gzipSync(Buffer.concat(blocks), { level: 1 })
}

/** The files of a package: its manifest, a module, its commands, and what it bundles. */
const filesOf = (manifest, bundled, at = '') => {
  const { dist, ...published } = manifest
  const files = {
    [`${at}package.json`]: { text: JSON.stringify(published, null, 2) + '\n', mode: 0o644 },
    [`${at}index.js`]: { text: `module.exports = '${manifest.name}@${manifest.version}'\n`, mode: 0o644 },
  }
  const bins = typeof manifest.bin === 'string' ? [manifest.bin] : Object.values(manifest.bin || {})
  for (const bin of bins) {
    files[`${at}${bin}`] = { text: `#!/usr/bin/env node\nconsole.log('${manifest.name}')\n`, mode: 0o644 }
  }
  for (const inner of bundled || []) {
    Object.assign(files, filesOf(inner.manifest, inner.bundled, `${at}node_modules/${inner.manifest.name}/`))
  }
  return files
}

module.exports = { filesOf, pack }
