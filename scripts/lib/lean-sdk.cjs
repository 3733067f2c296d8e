// Loaded before Pulumi's SDK (by automation.ts and by the policy host). Whenever the SDK is loaded it loads the TypeScript
// compiler, npm's dependency solver and hooks into V8, for turning functions into text, which few programs ask for. That is
// more than half of the time it takes, and the hooks change V8's flags, whereupon V8 rejects everything in the compile
// cache. Here each waits until something of it is used.
// CommonJS and plain JavaScript, because it must be cheap.
const { Module, createRequire } = require("node:module");

const sdk = createRequire(require.resolve("@pulumi/pulumi"));

onDemand("typescript", () => ({ version: sdk("typescript/package.json").version }));
onDemand("@npmcli/arborist");
onDemand("normalize-package-data", (load) => ({ default: (...args) => load()(...args) }));
onDemand("@pulumi/pulumi/runtime/closure/v8.js");
onDemand("@pulumi/pulumi/runtime/closure/v8Hooks.js", () => ({ isInitializedAsync: async () => {} }));

module.exports = { onDemand };

/**
 * Has a module loaded when a property of it is first asked for. Does nothing where it is not installed.
 * @param {string} name
 * @param {(load: () => any) => Record<string, unknown>} knownOf properties that are there without loading it
 */
function onDemand(name, knownOf = () => ({})) {
  const file = find(name);
  if (file === undefined || require.cache[file] !== undefined) return;
  const stand = new Module(file);
  const load = () => {
    if (require.cache[file] === stand) delete require.cache[file];
    return sdk(file);
  };
  const known = knownOf(load);
  stand.filename = file;
  stand.loaded = true;
  stand.exports = new Proxy(known, {
    // Compiled ES imports look at __esModule first, and copy every property where it is missing.
    get: (_, key) => (key === "__esModule" ? true : key in known ? known[key] : load()[key]),
    has: (_, key) => key in load(),
    ownKeys: () => Reflect.ownKeys(load()),
    getOwnPropertyDescriptor: (_, key) => {
      const found = Reflect.getOwnPropertyDescriptor(load(), key);
      return found && { ...found, configurable: true };
    },
  });
  require.cache[file] = stand;
}

/** The file of a module, undefined where it is not installed. */
function find(name) {
  try {
    return sdk.resolve(name);
  } catch {
    return undefined;
  }
}
