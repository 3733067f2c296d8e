import { afterAll, beforeAll, expect, test } from "vitest";
import { project, serve } from "../e2e/serving-configuration.ts";
import { type TestCheckout, testCheckout } from "../harness/checkout.ts";
import { controlPlane } from "../harness/control-plane.ts";
import { type TestKiln, testKiln } from "../harness/kiln.ts";

let checkout: TestCheckout;
let kiln: TestKiln;

beforeAll(async () => {
  await controlPlane();
  checkout = testCheckout();
  kiln = await testKiln({ project: checkout.folder });
});
afterAll(async () => {
  await kiln?.dispose();
  checkout?.dispose();
});

const QUOTA = {
  requests: { cpuCores: 2, memoryGib: 8 },
  limits: { cpuCores: 4, memoryGib: 16 },
};
const fraud = project("fraud", ["one", "two", "three"]);
const models = fraud.models.map((model) => ({ ...model, replicas: { min: 1, max: 2 } }));

test.each([
  {
    what: "an image by its tag",
    serving: { ...fraud, models: [{ ...models[0], source: { uri: "oci://quay.io/example/one:1" } }] },
    cause:
      /^image-by-digest: [\s\S]*fraud\.one [\s\S]*spec\.predictor\.model\.storageUri: must name the image by digest/,
  },
  {
    what: "models of which each fits into the quota, and all with all their replicas do not",
    serving: { ...fraud, models, quota: QUOTA },
    cause: /^inference-within-quota: [\s\S]*fraud-quota [\s\S]*limits\.cpu"\]: is 4, and [\s\S]* need 6 /,
  },
])("$what: refused at preview, before anything is made", async ({ serving, cause }) => {
  serve(checkout, "dev", [serving]);
  const refused = await kiln.run(["preview", "dev", "--json"]);
  expect(refused.json()).toMatchObject({
    error: { code: "PolicyViolation", cause: expect.stringMatching(cause) },
  });
  expect(refused.exitCode).toBe(3);
  const status = await kiln.run(["status", "dev", "--json"]);
  expect(status.stdout).not.toContain("kiln-dev-fraud");
});

test("up makes nothing of what breaks a rule by itself", async () => {
  serve(checkout, "dev", [
    { ...fraud, models: [{ ...models[0], source: { uri: "oci://quay.io/example/one:1" } }] },
  ]);
  const refused = await kiln.run(["up", "dev", "--json"]);
  expect(refused.json()).toMatchObject({ error: { code: "PolicyViolation" } });
  expect(refused.exitCode).toBe(3);
  expect((await kiln.run(["status", "dev", "--json"])).stdout).not.toContain("InferenceService");
});
