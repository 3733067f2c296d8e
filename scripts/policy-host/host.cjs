// The SDK's policy host, for the policy pack in the working folder: `host.cjs ENGINE PROGRAM …`.
const { createRequire } = require("node:module");
const path = require("node:path");
const { onDemand } = require("../lib/lean-sdk.cjs");

// It drives no engine, and Node strips the types of a pack in TypeScript by itself.
onDemand("@pulumi/pulumi/automation/index.js");
onDemand("@pulumi/pulumi/vendor/ts-node@7.0.1/index.js", () => ({ register: () => {} }));

// An engine that is killed closes nothing: whoever it was started by is then another.
const engine = process.ppid;
setInterval(() => process.ppid === engine || process.exit(), 1000).unref();

const ofPack = createRequire(path.resolve("package.json"));

// For each policy anew the SDK turns what the engine sent of a resource into values: dozens of times the same. The rules only
// read them, so once is enough. (Where secrets are kept as such, for a policy that mends resources, it does as before.)
const deserialize = ofPack("@pulumi/policy/deserialize.js");
const { deserializeProperties } = deserialize;
const known = new WeakMap();
deserialize.deserializeProperties = (properties, keepsSecrets) => {
  if (keepsSecrets) return deserializeProperties(properties, keepsSecrets);
  if (!known.has(properties)) known.set(properties, deserializeProperties(properties, keepsSecrets));
  return known.get(properties);
};

// Before each judgement the engine asks, with all of the resource's properties, what the rules would mend. None mends anything, so
// that question need not be read.
const { AnalyzerService } = ofPack("@pulumi/pulumi/proto/analyzer_grpc_pb.js");
const { AnalyzeRequest, AnalyzerResourceOptions } = ofPack("@pulumi/pulumi/proto/analyzer_pb.js");
const { Struct } = ofPack("google-protobuf/google/protobuf/struct_pb.js");
const unread = new AnalyzeRequest().setProperties(new Struct()).setOptions(new AnalyzerResourceOptions());
AnalyzerService.remediate.requestDeserialize = () => unread;

const host = ofPack.resolve("@pulumi/pulumi/cmd/run-policy-pack");
process.argv[1] = host;
require(host);
