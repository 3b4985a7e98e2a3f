// Compiles src/ with settings.json and writes one file per contract into the directory that is named.
// `npm install solc@0.8.37` first, and NODE_PATH where that is not beside this file.
const { readFileSync, readdirSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const solc = require("solc");

const CONTRACTS = ["GlueToken", "IdentityRegistry", "ReputationRegistry", "ValidationRegistry"];
const directory = process.argv[2] ?? join(__dirname, "compiled");

const files = readdirSync(join(__dirname, "src")).filter((file) => file.endsWith(".sol")).sort();
const content = (file) => readFileSync(join(__dirname, "src", file), "utf8");
const input = {
  language: "Solidity",
  sources: Object.fromEntries(files.map((file) => [file, { content: content(file) }])),
  settings: JSON.parse(readFileSync(join(__dirname, "settings.json"), "utf8")),
};
const output = JSON.parse(solc.compile(JSON.stringify(input)));
for (const problem of output.errors ?? []) {
  console.error(problem.formattedMessage);
}
if ((output.errors ?? []).length > 0) {
  process.exit(1);
}
for (const contract of CONTRACTS) {
  const { abi, evm } = output.contracts[`${contract}.sol`][contract];
  const compiled = { contract, compiler: solc.version(), abi, bytecode: `0x${evm.bytecode.object}` };
  writeFileSync(join(directory, `${contract}.json`), `${JSON.stringify(compiled, null, 1)}\n`);
}
