// Loaded before Pulumi's SDK (here, and by `node --require` in the engine's policy host). The SDK loads the TypeScript
// compiler and npm's dependency solver whenever it is loaded, together more than half of the time that takes, for
// turning functions into text, which few programs ask for. Here both wait until something of theirs is used.
// CommonJS and plain JavaScript, because it must be cheap in every process.
const { Module, createRequire } = require("node:module");

const sdk = createRequire(require.resolve("@pulumi/pulumi"));

for (const name of ["typescript", "@npmcli/arborist"]) {
  const file = sdk.resolve(name);
  if (require.cache[file] === undefined) require.cache[file] = onDemand(file);
}

/** A module that is loaded when a property of it is first asked for. */
function onDemand(file) {
  const load = () => {
    if (require.cache[file] === module) delete require.cache[file];
    return sdk(file);
  };
  const module = new Module(file);
  module.filename = file;
  module.loaded = true;
  module.exports = new Proxy(
    {},
    {
      // Compiled ES imports look at __esModule first, and copy every property where it is missing.
      get: (_, key) => (key === "__esModule" ? true : load()[key]),
      has: (_, key) => key in load(),
      ownKeys: () => Reflect.ownKeys(load()),
      getOwnPropertyDescriptor: (_, key) => {
        const found = Reflect.getOwnPropertyDescriptor(load(), key);
        return found && { ...found, configurable: true };
      },
    },
  );
  return module;
}
