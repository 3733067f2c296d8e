import { expect, it } from "vitest";
import { emptyState } from "../../scripts/lib/state.ts";
import { notUp } from "../../scripts/verbs/smoke.ts";

it("what was never brought up cannot be checked, and what was only begun is told apart from it", () => {
  expect(notUp("dev", emptyState)).toMatchObject({
    code: "NotUp",
    cause: "Nothing is on record that could be checked.",
    next: "Bring it up first: `kiln up dev`.",
  });
  const resource = { urn: "urn:vault", type: "azure-native:keyvault:Vault" };
  for (const state of [
    { ...emptyState, resources: [resource] },
    { ...emptyState, pending: [{ resource, type: "creating" }] },
  ]) {
    expect(notUp("dev", state)).toMatchObject({
      code: "NotUp",
      cause: "It was begun, but no run has come to its end yet.",
      next: expect.stringMatching(/kiln status dev.*kiln up dev/),
    });
  }
});
