/**
 * Brings a checkout to where it can run: `node scripts/prepare.mjs start|test|build`. Plain JavaScript without packages,
 * since it is what installs them. Does only what is missing, so a second run takes a moment. All it says goes to stderr:
 * stdout is for the results of the command that follows.
 */
import { spawnSync } from 'node:child_process';
import {
  accessSync,
  constants,
  existsSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isAlive, withLock } from './build-lock.mjs';
import { install, mayInstall, update } from './debian.mjs';
import { fail, root, run } from './run.mjs';
import { BUILD_TOOLS, MDNS_HEADER, missingOf, WANTED, WANTED_BEFORE_NPM } from './wanted.mjs';

const LEAST_NODE = [20, 19];
/** What becomes `dist/`; `tsconfig.build.json` says the same. */
const SOURCES = ['protocol', 'units', 'base', 'codegen', 'clients', 'simulator', 'cli', 'bench'];

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1])) return;
  fail(
    `Node.js ${process.versions.node} is too old: ${LEAST_NODE.join('.')} or newer is needed (Debian 13: apt-get install nodejs npm).`,
  );
}

function isWritable(path) {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function modifiedAt(path) {
  return existsSync(path) ? statSync(path).mtimeMs : 0;
}

/** What npm wrote down of its last work here. */
const INSTALLED = join(root, 'node_modules', '.package-lock.json');

const arePackagesOld = () => modifiedAt(INSTALLED) < modifiedAt(join(root, 'package-lock.json'));

/** An optional package could not be compiled, and what it lacked has come since. */
function isMdnsPossible() {
  if (
    existsSync(join(root, 'node_modules', 'mdns', 'build', 'Release', 'dns_sd_bindings.node')) ||
    !existsSync(MDNS_HEADER)
  )
    return false;
  // When it came here is its change: its modification is from when it was packed.
  return modifiedAt(INSTALLED) < statSync(MDNS_HEADER).ctimeMs;
}

/** False: npm has said what is wrong. */
async function npmInstall(goal) {
  console.error('Installing npm packages …');
  const words = ['install', '--no-save', '--no-fund', '--no-audit', '--loglevel=error'];
  // Who waits for tests does not wait for the compiler's last per cent: a minute instead of three.
  const { CFLAGS = '', CXXFLAGS = '' } = process.env;
  const quick = goal === 'test' ? { CFLAGS: `${CFLAGS} -O1`, CXXFLAGS: `${CXXFLAGS} -O1` } : {};
  if (!(await run('npm', words, { ...quick, JOBS: 'max' }))) return false;
  // Where nothing had to be done, npm writes nothing down.
  utimesSync(INSTALLED, new Date(), new Date());
  return true;
}

const NPM_FAILED = 'npm install failed: see above. It needs the npm registry once.';
const APT_FAILED = 'apt-get failed: see above.';

/** What can be done without is only said where it cannot be installed. */
async function prepareRunning(goal) {
  if (arePackagesOld() && !(await npmInstall(goal))) {
    // Where SQLite is not there ready-made for this machine, npm compiles it.
    const tools = missingOf(BUILD_TOOLS);
    if (!mayInstall(tools, true)) fail(NPM_FAILED);
    if (!(await update()) || !(await install(tools))) fail(APT_FAILED);
    if (!(await npmInstall(goal))) fail(NPM_FAILED);
  }
  const missing = missingOf(WANTED[goal]);
  if (!mayInstall(missing, false)) return;
  if (!(await update()) || !(await install(missing))) console.error(`${APT_FAILED} Going on without.`);
}

/** All of it is needed. What npm does not compile against is installed while it compiles. */
async function prepareTests() {
  const first = missingOf(WANTED_BEFORE_NPM);
  const rest = missingOf(WANTED.test);
  if (mayInstall([...first, ...rest], true) && !((await update()) && (await install(first)))) fail(APT_FAILED);
  const isWorkForNpm = arePackagesOld() || isMdnsPossible();
  const [areInstalled, areAllThere] = await Promise.all([isWorkForNpm ? npmInstall('test') : true, install(rest)]);
  if (!areInstalled) fail(NPM_FAILED);
  if (!areAllThere) fail(APT_FAILED);
}

/** The latest change of any source file, in ms. */
function sourcesModifiedAt() {
  let latest = Math.max(modifiedAt(join(root, 'tsconfig.json')), modifiedAt(join(root, 'tsconfig.build.json')));
  for (const folder of SOURCES) {
    const path = join(root, folder);
    if (!existsSync(path)) continue;
    latest = Math.max(latest, modifiedAt(path));
    for (const name of readdirSync(path, { recursive: true })) {
      if (name.endsWith('.ts')) latest = Math.max(latest, modifiedAt(join(path, name)));
    }
  }
  return latest;
}

/**
 * Compiles the sources into `dist/` when one of them changed since. Type errors, those of a user's definition too, end here.
 * The new folder takes the old one's place whole: a file whose source is gone does not stay, and what a build leaves that is
 * cut short, the next one removes. Several that need it at the same time wait for the first.
 */
export function build() {
  const dist = join(root, 'dist');
  const stamp = join(dist, 'built');
  if (modifiedAt(stamp) >= sourcesModifiedAt()) return;
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  if (!existsSync(compiler)) {
    if (existsSync(stamp)) return;
    fail('The npm packages are not installed: run `npm install` in this folder once, or `npm start`.');
  }
  if (!isWritable(root))
    fail(
      `The TypeScript sources changed, and ${root} cannot be written here, as in a service: run \`npx baseunit --version\` in that folder once.`,
      2,
    );
  const isCompiled = withLock(join(root, 'dist.lock'), () => {
    // Another may have done it meanwhile.
    if (modifiedAt(stamp) >= sourcesModifiedAt()) return true;
    removeLeftOver();
    return compile(compiler, dist);
  });
  if (!isCompiled) fail('The TypeScript sources do not compile: see above.', 2);
}

/** Builds that were cut short by a kill. */
function removeLeftOver() {
  for (const name of readdirSync(root)) {
    const pid = /^dist\.(\d+)(\.old)?$/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) rmSync(join(root, name), { recursive: true, force: true });
  }
}

/** False: the compiler has said what is wrong. */
function compile(compiler, dist) {
  const startedAt = new Date();
  const fresh = join(root, `dist.${process.pid}`);
  const arguments_ = [compiler, '-p', 'tsconfig.build.json', '--outDir', fresh];
  const { status } = spawnSync(process.execPath, arguments_, { cwd: root, stdio: ['inherit', 2, 2] });
  if (status !== 0) {
    rmSync(fresh, { recursive: true, force: true });
    return false;
  }
  writeFileSync(join(fresh, 'built'), '');
  utimesSync(join(fresh, 'built'), startedAt, startedAt);
  takePlace(fresh, dist);
  return true;
}

/** Puts a folder in another's place. Somebody else may be doing the same at this moment with the same right. */
function takePlace(fresh, dist) {
  const old = `${fresh}.old`;
  for (let attempt = 1; ; attempt += 1) {
    try {
      if (existsSync(dist)) renameSync(dist, old);
      renameSync(fresh, dist);
      break;
    } catch (error) {
      if (attempt === 5) throw error;
    }
    rmSync(old, { recursive: true, force: true });
  }
  rmSync(old, { recursive: true, force: true });
}

/** For `start`, `test` or `build`. Ends the process where a person must mend something. */
export async function prepare(goal) {
  checkNode();
  if (goal === 'test') await prepareTests();
  else await prepareRunning(goal);
  build();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const goal = process.argv[2] ?? 'build';
  if (!Object.hasOwn(WANTED, goal)) fail(`unknown goal ${goal}: ${Object.keys(WANTED).join(', ')}`);
  await prepare(goal);
}
