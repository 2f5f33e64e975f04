// A project's files on disk, and the home of its user.
'use strict'

const fs = require('node:fs')
const path = require('node:path')
const { writeRepository } = require('./git.js')
const { tarball } = require('./server.js')

const write = (file, content) => {
  fs.mkdirSync(path.dirname(file), { recursive: true })
  fs.writeFileSync(file, content)
}

/** Addresses of git repositories that stand for folders here. */
const HOSTS = ['https://git.example/', 'http://git.example/', 'git://git.example/', 'ssh://git@git.example/']

/** Writes the repositories of a project and the settings by which git finds them at `address`; returns the home. */
exports.home = (folder, { repositories }, address) => {
  const top = path.join(folder, 'home')
  for (const [name, described] of Object.entries(repositories || {})) {
    fs.rmSync(path.join(folder, `git/${name}.git`), { recursive: true, force: true })
    writeRepository(described, path.join(folder, `git/${name}.git`))
  }
  const lines = HOSTS.map(host => `\tinsteadOf = ${host}\n`)
  write(path.join(top, '.gitconfig'), `[url "${address}/${path.basename(folder)}/git/"]\n${lines.join('')}[safe]\n\tdirectory = *\n`)
  return top
}

/** Writes a project as a step finds it. */
exports.furnish = (project, one, step, lock) => {
  write(path.join(project, 'package.json'), JSON.stringify(step.root, null, 2) + '\n')
  for (const [folder, manifest] of Object.entries(one.folders)) {
    write(path.join(project, folder, 'package.json'), JSON.stringify(manifest, null, 2) + '\n')
    write(path.join(project, folder, 'cli.js'), '#!/usr/bin/env node\n')
  }
  for (const [file, found] of Object.entries(one.files)) {
    write(path.join(project, file), tarball(found))
  }
  for (const [file, text] of Object.entries(one.texts)) {
    write(path.join(project, file), text)
  }
  if (lock !== undefined) {
    write(path.join(project, 'package-lock.json'), lock)
  }
  if (!step.keep) {
    for (const folder of ['.', ...Object.keys(one.folders)]) {
      fs.rmSync(path.join(project, folder, 'node_modules'), { recursive: true, force: true })
    }
  }
}

exports.read = file => fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : undefined
