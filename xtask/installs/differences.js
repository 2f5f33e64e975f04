// What two installs of a project have in common: their trees and lockfiles, compared entry by entry.
'use strict'

const fs = require('node:fs')
const path = require('node:path')

/** Everything below the folders' node_modules: packages, links, commands, other files with their permission bits. */
const tree = top => {
  const found = {}
  const walk = (folder, inside) => {
    for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
      const full = path.join(folder, entry.name)
      const at = path.relative(top, full)
      const isModules = inside || entry.name === 'node_modules'
      if (entry.name === '.dx' || entry.name === '.package-lock.json') {
        continue
      }
      if (entry.isDirectory()) {
        walk(full, isModules)
      } else if (isModules && entry.isSymbolicLink()) {
        found[at] = `-> ${fs.readlinkSync(full)}`
      } else if (isModules) {
        const mode = (fs.statSync(full).mode & 0o777).toString(8)
        found[at] = entry.name === 'package.json' ? `${mode} ${fs.readFileSync(full, 'utf8')}` : mode
      }
    }
  }
  walk(top, false)
  return found
}

const short = value => {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text === undefined ? 'nothing' : text.replace(/\s+/g, ' ').slice(0, 160)
}

const differences = (theirs, ours, what) => {
  const keys = [...new Set([...Object.keys(theirs || {}), ...Object.keys(ours || {})])]
  const differ = keys.filter(key => JSON.stringify(theirs?.[key]) !== JSON.stringify(ours?.[key]))
  return differ.map(key => `${what} ${key}: npm ${short(theirs?.[key])}, dx ${short(ours?.[key])}`)
}

/** The members in which two entries of a lockfile differ. */
const entryDifferences = (theirs, ours, what) => {
  const both = path => theirs?.[path] && ours?.[path]
  const paths = [...new Set([...Object.keys(theirs || {}), ...Object.keys(ours || {})])]
  return paths.flatMap(at => {
    const label = `${what} ${at || '(project)'}`
    if (both(at)) {
      return differences(theirs[at], ours[at], label)
    }
    return [theirs?.[at] ? `${label}: npm has ${short(theirs[at].version)}, dx nothing` : `${label}: npm nothing, dx has ${short(ours[at].version)}`]
  })
}

const lockDifferences = (theirs, ours) => {
  if (theirs === ours) {
    return []
  }
  if (theirs === undefined || ours === undefined) {
    return [`lockfile: npm ${short(theirs)}, dx ${short(ours)}`]
  }
  const [npms, dxs] = [theirs, ours].map(text => JSON.parse(text))
  // npm leaves a dependency that `add` made optional in both sections.
  const root = npms.packages?.['']
  for (const name of Object.keys(root?.optionalDependencies || {})) {
    delete root.dependencies?.[name]
  }
  if (root?.dependencies && !Object.keys(root.dependencies).length) {
    delete root.dependencies
  }
  const list = [
    ...entryDifferences(npms.packages, dxs.packages, 'entry'),
    ...entryDifferences(npms.dependencies, dxs.dependencies, 'part for old npm'),
  ]
  delete npms.packages
  delete dxs.packages
  delete npms.dependencies
  delete dxs.dependencies
  list.push(...differences(npms, dxs, 'head'))
  return list.length ? list : ['lockfile: the same entries, another text']
}

module.exports = { differences, entryDifferences, lockDifferences, short, tree }
