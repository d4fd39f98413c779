"use strict";

// Compiles contracts/src and writes one JSON artifact for each contract into node/artifacts.
// With --check it writes nothing and exits 1 if an artifact differs from its source.

const fs = require("node:fs");
const path = require("node:path");
const solc = require("solc");

const ROOT = __dirname;
const SOURCES = path.join(ROOT, "src");
const LIBRARIES = path.join(ROOT, "node_modules");
const ARTIFACTS = path.join(ROOT, "..", "node", "artifacts");

// The optimiser weighs deployment against calls: the code of L1Block runs in every block.
const OPTIMIZER_RUNS = 10_000;

// Everything that shapes the bytes. Metadata would tie them to comments and file names.
const COMPILER_SETTINGS = {
  evmVersion: "prague",
  optimizer: { enabled: true, runs: OPTIMIZER_RUNS },
  viaIR: false,
  metadata: { bytecodeHash: "none", appendCBOR: false },
};

const OUTPUTS = ["abi", "evm.bytecode.object", "evm.deployedBytecode", "storageLayout"];

class BuildError extends Error {}

function listSources(folder) {
  return fs
    .readdirSync(folder, { recursive: true })
    .filter((file) => file.endsWith(".sol"))
    .map((file) => path.relative(ROOT, path.join(folder, file)).split(path.sep).join("/"))
    .sort();
}

function readImport(file) {
  const folder = file.startsWith("@") ? LIBRARIES : ROOT;
  try {
    return { contents: fs.readFileSync(path.join(folder, file), "utf8") };
  } catch (error) {
    return { error: error.message };
  }
}

// Each source is compiled alone with its imports, so that no other file can change its bytes.
function compile(file) {
  const input = {
    language: "Solidity",
    sources: { [file]: { content: fs.readFileSync(path.join(ROOT, file), "utf8") } },
    settings: { ...COMPILER_SETTINGS, outputSelection: { "*": { "": ["ast"], "*": OUTPUTS } } },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: readImport }));
  const messages = output.errors ?? [];
  if (messages.length > 0) {
    throw new BuildError(messages.map((message) => message.formattedMessage).join("\n"));
  }
  return output;
}

// Names of all variables by the number that the compiler gave them in this run.
function variableNames(sources) {
  const names = new Map();
  const visit = (node) => {
    if (node === null || typeof node !== "object") return;
    if (node.nodeType === "VariableDeclaration") names.set(String(node.id), node.name);
    Object.values(node).forEach(visit);
  };
  Object.values(sources).forEach((source) => visit(source.ast));
  return names;
}

function immutableReferences(references, names) {
  const named = Object.entries(references).map(([id, places]) => [names.get(id), places]);
  return Object.fromEntries(named.sort(([a], [b]) => (a < b ? -1 : 1)));
}

// The layout without the compiler's run numbers: they change with unrelated edits.
function storageLayout(layout) {
  return layout.storage.map(({ label, offset, slot, type }) => ({
    label,
    slot: Number(slot),
    offset,
    type: layout.types[type].label,
    bytes: Number(layout.types[type].numberOfBytes),
  }));
}

// The artifact's text, or undefined for what is never deployed by itself.
function artifactText(file) {
  const name = path.posix.basename(file, ".sol");
  const output = compile(file);
  const contract = output.contracts[file]?.[name];
  if (contract === undefined) throw new BuildError(`${file}: contract ${name} expected, not found`);
  const definition = output.sources[file].ast.nodes.find((node) => node.name === name);
  if (definition.contractKind !== "contract" || definition.abstract) return undefined;

  const { bytecode, deployedBytecode } = contract.evm;
  const artifact = { contractName: name, sourceName: file, abi: contract.abi };
  artifact.bytecode = `0x${bytecode.object}`;
  artifact.deployedBytecode = `0x${deployedBytecode.object}`;
  const references = deployedBytecode.immutableReferences ?? {};
  if (Object.keys(references).length > 0) {
    artifact.immutableReferences = immutableReferences(references, variableNames(output.sources));
  }
  artifact.storageLayout = storageLayout(contract.storageLayout);
  artifact.compiler = { version: solc.version(), settings: COMPILER_SETTINGS };
  return `${JSON.stringify(artifact, null, 2)}\n`;
}

function buildAll() {
  const artifacts = new Map();
  for (const file of listSources(SOURCES)) {
    const name = `${path.posix.basename(file, ".sol")}.json`;
    if (artifacts.has(name)) throw new BuildError(`${file}: another source has the same name`);
    const text = artifactText(file);
    if (text !== undefined) artifacts.set(name, text);
  }
  return artifacts;
}

function committedArtifacts() {
  const names = fs.readdirSync(ARTIFACTS).filter((name) => name.endsWith(".json"));
  return new Map(names.map((name) => [name, fs.readFileSync(path.join(ARTIFACTS, name), "utf8")]));
}

function differences(built, committed) {
  const found = [];
  for (const [name, text] of built) {
    if (!committed.has(name)) found.push(`${name}: missing`);
    else if (committed.get(name) !== text) found.push(`${name}: differs from its source`);
  }
  for (const name of committed.keys()) {
    if (!built.has(name)) found.push(`${name}: has no source`);
  }
  return found;
}

function check(built) {
  const found = differences(built, committedArtifacts());
  if (found.length === 0) return;
  throw new BuildError(`${found.join("\n")}\nnode/artifacts is stale: run npm run build and commit`);
}

function write(built) {
  fs.mkdirSync(ARTIFACTS, { recursive: true });
  for (const name of committedArtifacts().keys()) {
    if (!built.has(name)) fs.rmSync(path.join(ARTIFACTS, name));
  }
  for (const [name, text] of built) fs.writeFileSync(path.join(ARTIFACTS, name), text);
}

function main(args) {
  if (args.length > 1 || (args.length === 1 && args[0] !== "--check")) {
    console.error(`usage: node build.js [--check]; got ${args.join(" ")}`);
    return 2;
  }
  try {
    const built = buildAll();
    if (args.length === 1) check(built);
    else write(built);
    console.log(`${built.size} artifacts ${args.length === 1 ? "match" : "written"}`);
    return 0;
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    console.error(error.message);
    return 1;
  }
}

process.exitCode = main(process.argv.slice(2));
