import { execFileSync } from "node:child_process";
import path from "node:path";
import { expect, test } from "vitest";

const project = path.resolve(import.meta.dirname, "../..");

/** The policy host with a stand-in for the SDK's own, which only asks for the same values twice, as two policies do. */
const program = `
  const { createRequire } = require("node:module");
  const ofPack = createRequire(process.cwd() + "/package.json");
  const host = ofPack.resolve("@pulumi/pulumi/cmd/run-policy-pack");
  require.cache[host] = { id: host, filename: host, loaded: true, exports: {} };
  require(${JSON.stringify(path.join(project, "scripts", "policy-host", "host.cjs"))});
  const { deserializeProperties } = ofPack("@pulumi/policy/deserialize.js");
  const { Struct } = ofPack("google-protobuf/google/protobuf/struct_pb.js");
  const sent = (values) => Struct.fromJavaScript(values);
  const one = sent({ a: { b: [1] } });
  const other = sent({ a: { b: [1] } });
  console.log(JSON.stringify({
    values: deserializeProperties(one, false),
    sameAgain: deserializeProperties(one, false) === deserializeProperties(one, false),
    sameOfAnother: deserializeProperties(one, false) === deserializeProperties(other, false),
    sameWithSecrets: deserializeProperties(one, true) === deserializeProperties(one, true),
  }));
  process.exit();
`;

test("the policy host reads what is sent of a resource once for all rules, and each resource for itself", () => {
  const said = execFileSync(process.execPath, ["-e", program, "--"], {
    cwd: path.join(project, "policies"),
    encoding: "utf8",
    stdio: "pipe",
  });
  expect(JSON.parse(said)).toEqual({
    values: { a: { b: [1] } },
    sameAgain: true,
    sameOfAnother: false,
    sameWithSecrets: false,
  });
});
