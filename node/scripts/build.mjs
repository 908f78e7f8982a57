// Builds the addon into native/, and what napi-rs generates from it: index.js and index.d.ts.
// Fetches the licences, for the tarball.
//
//   node scripts/build.mjs [--release] [--check]
//
// `napi build` would always pass --target, and so compile the core a second time beside the
// rest of the workspace. --check: fails if what is committed is not what would be generated.
import { execFileSync } from 'node:child_process'
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { generateTypeDef, parseTriple, writeJsBinding } from '@napi-rs/cli'

const FILES = ['index.js', 'index.d.ts']

const root = fileURLToPath(new URL('..', import.meta.url))
const release = process.argv.includes('--release')
const check = process.argv.includes('--check')
const { name, version, napi } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

const types = join(targetDirectory(), 'espseal-node-types')
rmSync(types, { recursive: true, force: true })
mkdirSync(types, { recursive: true })
// The macros write the types while they expand, so the crate has to be compiled once more.
const env = {
  ...process.env,
  NAPI_TYPE_DEF_TMP_FOLDER: types,
  NAPI_FORCE_BUILD_ESPSEAL_NODE: String(Date.now()),
}
const flags = ['--locked', '--package', 'espseal-node', ...(release ? ['--release'] : [])]
execFileSync('cargo', ['build', ...flags], { cwd: root, env, stdio: 'inherit' })

const native = join(root, 'native')
mkdirSync(native, { recursive: true })
installAddon()
// npm packs only what is in the package's own folder.
for (const licence of ['LICENSE-APACHE', 'LICENSE-MIT']) {
  copyFileSync(join(root, '..', licence), join(root, licence))
}
const output = check ? mkdtempSync(join(targetDirectory(), 'espseal-node-check-')) : native
await generate(output)
if (check) compare(output)

function targetDirectory() {
  const arguments_ = ['metadata', '--format-version=1', '--no-deps', '--locked']
  const text = execFileSync('cargo', arguments_, { cwd: root, maxBuffer: 1 << 26 })
  return JSON.parse(text).target_directory
}

function installAddon() {
  const compiler = execFileSync('rustc', ['-vV'], { encoding: 'utf8' })
  const { platformArchABI, platform } = parseTriple(/^host: (.+)$/m.exec(compiler)[1])
  const library = { win32: 'espseal_node.dll', darwin: 'libespseal_node.dylib' }
  const built = join(
    targetDirectory(),
    release ? 'release' : 'debug',
    library[platform] ?? 'libespseal_node.so',
  )
  const addon = join(native, `${napi.binaryName}.${platformArchABI}.node`)
  // Renamed: to write into an addon that a running process has loaded would crash it.
  copyFileSync(built, `${addon}.new`)
  // 40 MB of debugging information, that nobody debugs with.
  if (platform === 'linux') execFileSync('strip', ['--strip-debug', `${addon}.new`])
  renameSync(`${addon}.new`, addon)
}

async function generate(outputDir) {
  const { exports, dts } = await generateTypeDef({
    typeDefDir: types,
    cwd: root,
    declareBindingTarget: true,
  })
  writeFileSync(join(outputDir, 'index.d.ts'), dts)
  await writeJsBinding({
    platform: true,
    idents: exports,
    jsBinding: 'index.js',
    format: 'commonjs',
    binaryName: napi.binaryName,
    packageName: name,
    version,
    outputDir,
  })
}

function compare(folder) {
  const read = (place, file) => readFileSync(join(place, file), 'utf8')
  const stale = FILES.filter((file) => read(native, file) !== read(folder, file))
  rmSync(folder, { recursive: true })
  if (stale.length > 0) {
    console.error(`native/${stale.join(', native/')}: not as generated; run npm run build`)
    process.exit(1)
  }
}
